//! The claim about a link, and the prover with the user's credentials.

use std::sync::Arc;

use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::cli::{BucketNamespace, FailOn, FailOptions, Probe};
use crate::config::Link;
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::{PrincipalRef, RoleArn};
use crate::iam::names::AccountId;
use crate::operations::run::Run;
use crate::proof::{
    Claim, Declaration, Extent, Freshness, MfaMeans, Outcome, Proof, Prover, RequestOptions, TestBucket, TestName,
};

/// Returns all principals in `xacct.toml`: those of the source, and those of single targets.
///
/// # Errors
/// When the file names none.
pub fn principals_on_record(run: &Run<'_>) -> Result<Vec<PrincipalRef>> {
    let principals = run.file.principals.clone();
    if principals.is_empty() {
        return Err(Error::usage(format!("`{}` has no `user` in [source]", run.file.path.display()))
            .hint("set user = \"NAME\" in [source]"));
    }
    Ok(principals)
}

/// Returns a prover for links of these principals. `named` says that a setting names these credentials as one's.
///
/// # Errors
/// When the profile's `mfa_serial` is malformed.
pub fn prover(
    connections: &Connections,
    access: Access,
    named: bool,
    principals: Vec<PrincipalRef>,
    source: Option<AccountId>,
    run: &Run<'_>,
) -> Result<Prover> {
    let serial = access.profile.as_deref().and_then(|profile| connections.profiles().setting(profile, "mfa_serial"));
    let mfa = MfaMeans { mfa: Arc::clone(connections.mfa()), serial: serial.map(str::parse).transpose()? };
    Ok(Prover::new(access, named, principals, source, mfa, run.leftovers.clone()))
}

/// The session name of tests. In CloudTrail of the target account, it tells a test from work with the role.
const TEST_SESSION: &str = "xacct-verify";

/// Returns the claim about a link to test: that of [`claim`], with a session name of its own unless one is set.
pub fn claim_to_test(link: &Link, role: &RoleArn, freshness: Freshness, run: &Run<'_>) -> Claim {
    let mut claim = claim(link, role, freshness, run);
    // Such a statement usually requires the user's name.
    let is_name_restricted = link.trust_statements.to_string().to_ascii_lowercase().contains("sts:rolesessionname");
    if claim.request.session_name.is_none() && !is_name_restricted {
        claim.test_name = TEST_SESSION.parse().ok().map(TestName::new);
    }
    claim
}

/// Returns the claim about a link.
pub fn claim(link: &Link, role: &RoleArn, freshness: Freshness, run: &Run<'_>) -> Claim {
    let extent = match link.probe {
        Probe::Identity => Extent::Refusals("probe = \"identity\"".to_owned()),
        Probe::Auto | Probe::Bucket => Extent::Bucket(TestBucket {
            random: run.context.random,
            foresight: None,
            reader: None,
            is_required: false,
            tags: link.bucket_tags.clone(),
            account_regional: link.bucket_namespace == BucketNamespace::AccountRegional,
        }),
    };
    let principals = link.principals.clone();
    Claim {
        role: role.clone(),
        principals: principals.clone(),
        external_id: link.external_id.known().cloned(),
        former_external_ids: link.former_external_ids().cloned().collect(),
        require_mfa: link.require_mfa,
        region: link.region.clone(),
        freshness,
        request: RequestOptions {
            session_name: link.session_name.clone(),
            duration: None,
            tags: link.session_tags.clone(),
            source_identity: link.source_identity.clone(),
        },
        test_name: None,
        unsent_refusals: None,
        extent,
        declaration: Declaration {
            only: if link.restrict_to_user { principals } else { Vec::new() },
            statements: link.trust_statements.clone(),
            accepted: link.accept.clone(),
            is_recorded: link.id.is_some(),
            exclusive: link.exclusive,
            require_read: link.require_read,
            now: Some((run.context.now)().into()),
        },
    }
}

/// Returns the exit code of one proof.
pub fn exit_code(proof: &Result<Proof>) -> ExitCode {
    match proof {
        // An expired sign-in is an error wherever the proof meets it.
        Ok(proof) if proof.has_expired() => ExitCode::Error,
        Ok(proof) => proof.outcome.exit_code(),
        Err(error) => error.kind.exit_code(),
    }
}

/// Returns the exit code of one proof if only some outcomes count as failures.
pub fn exit_code_of(proof: &Result<Proof>, options: &FailOptions) -> ExitCode {
    let is_failure = |outcome| match outcome {
        Outcome::Works => false,
        Outcome::NotProven => options.fail_on.contains(&FailOn::Unproven),
        Outcome::S3Blocked | Outcome::Refused => options.fail_on.contains(&FailOn::Broken),
        Outcome::TooOpen => options.fail_on.contains(&FailOn::Open),
    };
    match proof {
        Ok(proof) if !proof.has_expired() && !is_failure(proof.outcome) => ExitCode::Done,
        proof => exit_code(proof),
    }
}
