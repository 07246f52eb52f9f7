//! Generates random policies and requests.
//!
//! Generated patterns are close to matching, otherwise nothing would ever be allowed. They avoid known bugs of the
//! other implementations. Each is marked with "awsim:" or "iam-simulate:", and covered by a case with a declared
//! disagreement.

mod condition;
mod random;
mod request;

use serde_json::{Map, Value, json};

pub use random::Random;

use crate::scene::{Asked, Policies, Scene};

/// The implementation to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    Awsim,
    Simulate,
}

/// Generates scenes; the same seed generates the same ones.
pub struct Generator {
    random: Random,
    other: For,
}

impl Generator {
    pub fn new(seed: u64, other: For) -> Self {
        Self { random: Random::new(seed), other }
    }

    pub fn scene(&mut self) -> Scene {
        let request = self.request();
        let identity = (0..1 + self.random.below(2)).map(|_| self.policy(&request, false)).collect();
        let boundary = self.random.percent(40).then(|| self.policy(&request, false));
        let trust = Some(self.policy(&request, true));
        Scene { policies: Policies { identity, boundary, session: None, trust }, request }
    }

    fn policy(&mut self, request: &Asked, is_trust: bool) -> Value {
        // awsim, iam-simulate: expand variables in the old policy version too.
        let has_variables = self.random.percent(80);
        let mut statements: Vec<_> = (0..self.random.below(3))
            .map(|_| {
                let effect = if self.random.percent(30) { "Deny" } else { "Allow" };
                self.statement(request, effect, is_trust, has_variables)
            })
            .collect();
        // A statement that is likely to allow.
        statements.push(match self.random.percent(50) {
            true if is_trust => json!({"Effect": "Allow", "Principal": "*", "Action": "sts:*"}),
            true => json!({"Effect": "Allow", "Action": ["s3:*", "STS:*"], "Resource": "*"}),
            false => self.statement(request, "Allow", is_trust, has_variables),
        });
        let mut policy = Map::new();
        match (has_variables, self.random.percent(50)) {
            (true, _) => policy.insert("Version".into(), "2012-10-17".into()),
            (false, true) => policy.insert("Version".into(), "2008-10-17".into()),
            (false, false) => None,
        };
        policy.insert("Statement".into(), statements.into());
        policy.into()
    }

    fn statement(&mut self, request: &Asked, effect: &str, is_trust: bool, has_variables: bool) -> Value {
        let mut statement = Map::new();
        statement.insert("Effect".into(), effect.into());
        if is_trust {
            let (name, principal) = self.principal(request);
            statement.insert(name.into(), principal);
        }
        let (name, actions) = self.actions(request);
        statement.insert(name.into(), actions);
        if !is_trust {
            let (name, resources) = self.resources(request, has_variables);
            statement.insert(name.into(), resources);
        }
        if self.random.percent(60) {
            statement.insert("Condition".into(), self.condition(request, has_variables));
        }
        statement.into()
    }

    fn principal(&mut self, request: &Asked) -> (&'static str, Value) {
        let own = &request.principal[0];
        let is_root = own.ends_with(":root");
        let not = self.random.percent(20);
        if self.random.percent(10) {
            return (
                if not { "NotPrincipal" } else { "Principal" },
                self.random.pick(&[json!("*"), json!({"AWS": "*"})]),
            );
        }
        let root = format!("arn:aws:iam::{}:root", request.account());
        let mut identifiers: Vec<String> = Vec::new();
        for _ in 0..=self.random.below(3) {
            let others = [
                "arn:aws:iam::444444444444:user/dave",
                "arn:aws:iam::444444444444:root",
                "444444444444",
                "arn:aws:iam::111111111111:user/Alice",
                "arn:aws:iam::111111111111:user/*",
                "arn:aws:sts::111111111111:assumed-role/deploy/run-2",
                // awsim: does not know unique IDs; here they never match.
                "AIDAEXAMPLEOTHER00001",
                "AROAEXAMPLEOTHER00001",
            ];
            identifiers.push(match self.random.below(10) {
                0..4 => own.clone(),
                // awsim, iam-simulate: NotPrincipal with an account exempts all its users.
                4 if !not || is_root => root.clone(),
                5 if !not || is_root => request.account().to_owned(),
                _ => self.random.pick(&others).to_owned(),
            });
        }
        // awsim: a role does not match its sessions. Both: NotPrincipal with one of the two is enough.
        if let Some(role) = request.principal.get(1)
            && (self.other == For::Simulate && !not || identifiers.contains(own))
        {
            identifiers.push(role.clone());
        }
        // awsim: NotPrincipal with only the session's ARN exempts it, so both are listed, or neither.
        let mut kinds = Map::new();
        kinds.insert("AWS".into(), self.random.list(identifiers));
        if self.random.percent(15) {
            kinds.insert("Service".into(), "ec2.amazonaws.com".into());
        }
        (if not { "NotPrincipal" } else { "Principal" }, kinds.into())
    }

    fn actions(&mut self, request: &Asked) -> (&'static str, Value) {
        let own = &request.action;
        let (service, name) = own.split_once(':').expect("an action");
        let close = [
            own.clone(),
            own.to_uppercase(),
            "*".to_owned(),
            format!("{service}:*"),
            format!("{service}:{}*", &name[..name.len() / 2]),
            format!("{service}:*{}", &name[1..]),
            format!("{service}:?{}", &name[1..]).to_lowercase(),
        ];
        let others = ["iam:*", "s3:GetObject", "sts:GetCallerIdentity", "sts:assume", "sts:?", "sts:TagSession"];
        let not = self.random.percent(20);
        let percent = if not { 30 } else { 75 };
        let actions = (0..=self.random.below(3)).map(|_| match self.random.percent(percent) {
            true => self.random.pick(&close),
            false => self.random.pick(&others).to_owned(),
        });
        let actions = actions.collect();
        (if not { "NotAction" } else { "Action" }, self.random.list(actions))
    }

    fn resources(&mut self, request: &Asked, has_variables: bool) -> (&'static str, Value) {
        let own = &request.resource;
        let (start, name) = own.split_at(own.rfind(['/', ':']).map_or(0, |place| place + 1));
        // awsim: compares segments separately, even if a trailing star could match more; with fewer than six segments,
        // wildcards match colons anywhere. So resources have no additional colons, and short patterns only a trailing
        // star.
        let mut close = vec![
            own.clone(),
            "*".to_owned(),
            format!("{start}*"),
            format!("{start}?{}", &name[1..]),
            format!("{}*", &own[..own.len() / 2]),
            "arn:*".to_owned(),
            "arn:aws:*:*:*:*".to_owned(),
            own.replacen(":2", ":*", 1),
        ];
        let not = self.random.percent(20);
        if has_variables {
            // iam-simulate: a statement with an unset variable does not apply, even with NotResource.
            let may_lack = !(not && self.other == For::Simulate);
            if may_lack || request.context.contains_key("aws:PrincipalTag/name") {
                close.push(format!("{start}${{aws:PrincipalTag/name}}"));
            }
            if may_lack {
                close.push(format!("{start}*${{aws:PrincipalTag/none}}"));
            }
        }
        let others = ["arn:aws:iam::222222222222:role/other", "arn:aws:iam::333333333333:role/*", "arn:aws:s3:::b"];
        let percent = if not { 30 } else { 75 };
        let resources = (0..=self.random.below(3)).map(|_| match self.random.percent(percent) {
            true => self.random.pick(&close),
            false => self.random.pick(&others).to_owned(),
        });
        let resources = resources.collect();
        (if not { "NotResource" } else { "Resource" }, self.random.list(resources))
    }
}

#[test]
fn the_same_seed_generates_the_same_scenes() {
    let scene = |seed| serde_json::to_string(&Generator::new(seed, For::Awsim).scene()).unwrap();
    assert_eq!(scene(1), scene(1));
    assert_ne!(scene(1), scene(2));
}
