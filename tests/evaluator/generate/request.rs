//! Generates requests.

use std::collections::BTreeMap;

use super::{For, Generator};
use crate::scene::{Asked, Values};
use crate::{ALICE, ROLE};

impl Generator {
    pub(super) fn request(&mut self) -> Asked {
        let session = "arn:aws:sts::111111111111:assumed-role/deploy/run-1";
        let principal: Vec<&str> = match self.random.below(10) {
            0..5 => vec![ALICE],
            5 => vec!["arn:aws:iam::111111111111:root"],
            6 => vec!["arn:aws:iam::333333333333:user/carol"],
            _ => vec![session, "arn:aws:iam::111111111111:role/deploy"],
        };
        let (action, resource) = match self.random.below(10) {
            8 if self.other == For::Awsim => ("s3:GetObject", "arn:aws:s3:::bucket/path/app"),
            9 if self.other == For::Awsim => ("iam:GetRole", ROLE),
            _ => ("sts:AssumeRole", ROLE),
        };
        let mut request = Asked {
            principal: principal.into_iter().map(str::to_owned).collect(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            ..Asked::default()
        };
        request.context = self.context(&request);
        request
    }

    fn context(&mut self, request: &Asked) -> BTreeMap<String, Values> {
        let own = &request.principal[0];
        let account = request.account();
        // The aws:PrincipalArn of a session is the ARN of its role (IAM User Guide, aws:PrincipalArn).
        let arn = request.principal.last().expect("a principal");
        let mut context = BTreeMap::new();
        // Always present: the other implementations derive them from the principal.
        for (key, value) in [("aws:PrincipalArn", arn.as_str()), ("aws:PrincipalAccount", account)] {
            context.insert(key.to_owned(), Values::One(value.to_owned()));
        }
        if let Some((_, name)) = own.split_once(":user/") {
            context.insert("aws:username".to_owned(), Values::One(name.to_owned()));
        }
        let choices: [(&str, &[&str]); 9] = [
            ("aws:PrincipalTag/name", &["app", "other", "App"]),
            ("aws:PrincipalTag/team", &["red", "blue", "redder", "RED"]),
            ("sts:ExternalId", &["x-1", "x-2", "X-1"]),
            ("sts:RoleSessionName", &["alice", "run-1", "x"]),
            ("aws:SourceIp", &["203.0.113.5", "203.0.113.200", "198.51.100.1", "2001:db8::1", "2001:db8:1::1"]),
            ("aws:MultiFactorAuthPresent", &["true", "false"]),
            ("aws:MultiFactorAuthAge", &["0", "5", "3600", "3600.5"]),
            ("aws:CurrentTime", &["2020-01-01T00:00:00Z", "2026-06-01T12:00:00Z", "2030-12-31T23:59:59Z"]),
            ("aws:SecureTransport", &["true", "false"]),
        ];
        for (key, values) in choices {
            if self.random.percent(75) {
                context.insert(key.to_owned(), Values::One(self.random.pick(values).to_owned()));
            }
        }
        if self.random.percent(60) {
            let keys = (0..=self.random.below(3)).map(|_| self.random.pick(&["a", "b", "ab", "c"]).to_owned());
            context.insert("aws:TagKeys".to_owned(), Values::Many(keys.collect()));
        }
        context
    }
}
