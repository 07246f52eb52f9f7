//! The contenders and their commands.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use crate::ground::{EXTERNAL_ID, Ground, POLICY};
use crate::job::Job;
use crate::result::Result;
use crate::support::{TestEnvironment, third_party};

/// A contender.
pub enum Contender {
    /// `xacct bootstrap`, `xacct verify`. xacct does more than the job: it reads before and after, and tests two
    /// rejections.
    Xacct,
    /// A Python script with boto3.
    Boto3 {
        /// The Python interpreter.
        python: PathBuf,
    },
    /// A shell script.
    AwsCli {
        /// The path of the AWS CLI.
        aws: PathBuf,
    },
    /// Terraform with the real provider, and two initialized configurations.
    Terraform(Box<Terraform>),
}

/// Two Terraform configurations.
pub struct Terraform {
    link: TestEnvironment,
    usage: TestEnvironment,
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xacct => "xacct",
            Self::Boto3 { .. } => "boto3",
            Self::AwsCli { .. } => "AWS CLI",
            Self::Terraform(_) => "Terraform",
        })
    }
}

impl Contender {
    /// Returns the available contenders, and why others are missing.
    pub fn all() -> (Vec<Self>, Vec<String>) {
        let found = [
            ("boto3", boto3()),
            ("AWS CLI", third_party::in_venv("aws").map(|aws| Self::AwsCli { aws })),
            ("Terraform", terraform()),
        ];
        let (mut present, mut skipped) = (vec![Self::Xacct], Vec::new());
        for (name, contender) in found {
            match contender {
                Ok(contender) => present.push(contender),
                Err(reason) => skipped.push(format!("{name}: {reason}")),
            }
        }
        (present, skipped)
    }

    /// Returns its version.
    pub fn version(&self) -> Result<String> {
        let here = TestEnvironment::new();
        let mut command = match self {
            Self::Xacct => here.command(XACCT),
            Self::Boto3 { python } => here.command(python),
            Self::AwsCli { aws } => here.command(aws),
            Self::Terraform(terraform) => terraform.link.command("terraform"),
        };
        command.args(match self {
            Self::Xacct | Self::AwsCli { .. } => &["--version"][..],
            Self::Boto3 { .. } => &["-c", "import boto3; print('boto3', boto3.__version__)"],
            Self::Terraform(_) => &["version"],
        });
        let output = String::from_utf8(command.output()?.stdout)?;
        let provider = output.lines().find(|line| line.contains("provider")).unwrap_or_default();
        Ok(format!("{} {provider}", output.lines().next().unwrap_or_default()).trim().to_owned())
    }

    /// Whether it can do this job.
    pub fn does(&self, job: Job) -> bool {
        match self {
            Self::Xacct => true,
            Self::Boto3 { .. } | Self::AwsCli { .. } => matches!(job, Job::Whole | Job::Verify),
            Self::Terraform(_) => job == Job::Whole,
        }
    }

    /// Returns the commands for a job, in order.
    pub fn commands(&self, job: Job, ground: &Ground) -> Vec<Command> {
        let word = if job == Job::Verify { "verify" } else { "whole" };
        match self {
            Self::Xacct => vec![xacct(ground, job)],
            Self::Boto3 { python } => {
                let mut command = ground.environment.command(python);
                command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/benches/contenders/boto3_job.py"), word]);
                vec![command]
            }
            Self::AwsCli { aws } => {
                let mut command = ground.environment.command("bash");
                command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/benches/contenders/aws_cli.sh"), word]);
                command.env("AWS", aws);
                command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
                vec![command]
            }
            Self::Terraform(terraform) => terraform.commands(ground).into(),
        }
    }
}

/// The path of the measured xacct.
pub const XACCT: &str = env!("CARGO_BIN_EXE_xacct");

/// Returns the xacct command for a job.
pub fn xacct(ground: &Ground, job: Job) -> Command {
    let words = match job {
        Job::Verify => "verify".to_owned(),
        Job::Exec | Job::ExecManyRoots => "exec -- /bin/true".to_owned(),
        Job::Whole | Job::Link => format!(
            "bootstrap --yes --target-account {} --user alice --user-profile alice --profile security-admin \
             --target-profile dev-admin --external-id {EXTERNAL_ID} --policy-arn {POLICY}",
            ground.target
        ),
    };
    let mut command = ground.environment.command(XACCT);
    command.args(words.split_whitespace());
    if job == Job::Link {
        command.arg("--no-verify");
    }
    command
}

fn boto3() -> std::result::Result<Contender, String> {
    // The AWS CLI is installed together with boto3.
    third_party::in_venv("aws")?;
    Ok(Contender::Boto3 { python: third_party::in_venv("python")? })
}

fn terraform() -> std::result::Result<Contender, String> {
    let initialised = |text: &str| {
        let mut environment = TestEnvironment::new();
        environment.write("main.tf", text);
        third_party::init_terraform(&mut environment).map(|()| environment)
    };
    let link = initialised(include_str!("terraform/link/main.tf"))?;
    let usage = initialised(include_str!("terraform/use/main.tf"))?;
    Ok(Contender::Terraform(Box::new(Terraform { link, usage })))
}

impl Terraform {
    /// Creates the link, creates the bucket, deletes the bucket.
    fn commands(&self, ground: &Ground) -> [Command; 3] {
        for place in [&self.link, &self.usage] {
            // Existing state belongs to other accounts.
            let _ = std::fs::remove_file(place.path("terraform.tfstate"));
        }
        [(&self.link, "apply"), (&self.usage, "apply"), (&self.usage, "destroy")].map(|(place, verb)| {
            let mut command = ground.environment.command("terraform");
            command.envs(third_party::terraform_variables()).current_dir(place.path(""));
            command.args([verb, "-auto-approve", "-input=false", "-no-color"]);
            command
        })
    }
}
