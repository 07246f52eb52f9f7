//! Collects the facts of a link for its diagnosis.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::iam::observe;
use crate::aws::sts;
use crate::cli::{BucketNamespace, Probe};
use crate::config::{GrantSettings, Link, Source};
use crate::diagnosis::collect::{self, Reader, Tried};
use crate::diagnosis::facts::{
    Answer, CallerFacts, LinkFacts, Mfa, NotSent, RequestFacts, SCHEMA_VERSION, SourceFacts, TargetFacts,
};
use crate::diagnosis::made::Made;
use crate::diagnosis::{Cause, Certainty, Diagnosis, Evaluated, Facts, Finding, Verdict, diagnose, message_note};
use crate::environment;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{CallerArn, PrincipalArn, PrincipalRef, RoleArn, RoleRef, UserRef, set_of_role};
use crate::iam::grant_names::set_policy_arn;
use crate::iam::names::{AccountId, IamPath};
use crate::iam::state::{FoundDocument, Reading};
use crate::iam::templates::GRANT_POLICY;
use crate::operations::accounts::other_path;
use crate::operations::operators::Operators;
use crate::operations::run::Run;
use crate::proof::{Claim, Denied, Outcome, Proof, Prover, Watch};

/// Collects facts from both accounts. Gets the source operator's credentials once, for all links.
pub struct Diagnostician<'a> {
    run: &'a Run<'a>,
    connections: &'a Connections,
    principals: Vec<PrincipalRef>,
    pub account: Option<AccountId>,
    grant: GrantSettings,
    operators: Operators,
    /// The source account, which all links of a principal share, read once; after a write, it is read again.
    sources: Mutex<BTreeMap<String, Arc<OnceCell<SourceFacts>>>>,
    /// Whether the access key in the environment is the user's, which all links share.
    user_in_environment: OnceCell<bool>,
}

/// The link to diagnose.
pub struct Case<'a> {
    pub link: &'a Link,
    pub role: &'a RoleArn,
    /// The target operator's access, if already known.
    pub target: Option<Access>,
    /// When this run wrote either half, if it did.
    pub written: Option<Instant>,
    /// What this run has made of both halves, if reads may not show it yet.
    pub made: Option<Made<'a>>,
}

impl<'a> Diagnostician<'a> {
    /// Returns a diagnostician for the links of these principals. `operator` is the source operator's access, if already
    /// known.
    pub fn new(
        run: &'a Run<'a>,
        connections: &'a Connections,
        source: &Source,
        principals: &[PrincipalRef],
        operator: Option<Access>,
    ) -> Self {
        Self {
            run,
            connections,
            principals: principals.to_vec(),
            account: source.account.clone().or_else(|| principals.iter().find_map(|it| it.account().cloned())),
            grant: source.grant.clone(),
            operators: Operators::new(connections, source.profile.clone(), operator),
            sources: Mutex::default(),
            user_in_environment: OnceCell::new(),
        }
    }

    /// Diagnoses a link with this proof; `None` if the link works, or AWS could not be reached.
    pub async fn explain(
        &self,
        case: &Case<'_>,
        (prover, claim): (&Prover, &Claim),
        proof: &Result<Proof>,
        watch: &dyn Watch,
    ) -> Option<Diagnosis> {
        if matches!(proof, Ok(proof) if proof.outcome == Outcome::Works) {
            return None;
        }
        watch.now("reading both halves");
        let facts = self.facts(case, prover, claim, proof).await?;
        let mut diagnosis = diagnose(&facts);
        diagnosis.notes.extend(message_note(&facts, &diagnosis.findings));
        Some(diagnosis)
    }

    /// Returns what certainly denies this request, even once AWS has propagated everything that this run has made of the
    /// link. Only what the run did not write can be read stale, and that has not changed. `None` if nothing does, as far
    /// as it could be read.
    pub async fn obstacle(
        &self,
        case: &Case<'_>,
        (prover, claim): (&Prover, &Claim),
        made: &Made<'_>,
        denied: Denied<'_>,
    ) -> Option<String> {
        let link = self.link(case, Some(prover)).await;
        let (source, caller) = tokio::join!(self.shared_source(&link), self.caller(prover, claim));
        let mut target = TargetFacts::not_read("xacct has just written it");
        // The inline policies that this run has made. As others are unknown, only a Deny among these is certain.
        target.policies.inline = Reading::Present(BTreeMap::new());
        let halves = (link, source, target);
        let mut facts = self.together(case, requested(prover, claim)?, Tried::denied(denied), halves, caller);
        facts.clock_ahead = clock_ahead(prover);
        made.put_into(&mut facts);
        let findings = diagnose(&facts).findings.into_iter();
        // Once AWS accepts AssumeRole, other findings are not in the way of S3.
        let is_about_it = |it: &Finding| match denied {
            Denied::AssumeRole => true,
            Denied::S3 { .. } => matches!(it.cause, Cause::S3Denied | Cause::S3Boundary | Cause::S3NotAllowed),
        };
        let mut certain = findings.filter(|it| it.certainty == Certainty::Certain && !it.foreseen && is_about_it(it));
        certain.next().map(|finding| finding.summary)
    }

    /// Collects all facts about a link with this proof. `None` if AWS could not be reached.
    async fn facts(&self, case: &Case<'_>, prover: &Prover, claim: &Claim, proof: &Result<Proof>) -> Option<Facts> {
        let tried = Tried::of(proof, prover.region(claim), prover.lacks_device())?;
        let halves = self.halves(case, Some(prover));
        let caller = self.caller(prover, claim);
        let (mut halves, caller) = tokio::join!(halves, caller);
        // The role's session may have read what the operator may not.
        if let (Reading::Unreadable { .. }, Ok(Proof { role: Some(role), .. })) = (&halves.2.role, proof) {
            halves.2.role = Reading::Present(role.clone().into());
        }
        let mut facts = self.together(case, requested(prover, claim)?, tried, halves, caller);
        facts.clock_ahead = clock_ahead(prover);
        // On the heap: futures nested more deeply are too much for the compiler.
        Box::pin(self.look_for_key(&mut facts, prover)).await;
        if let Some(made) = &case.made {
            made.put_into(&mut facts);
        }
        Some(facts)
    }

    /// Tries the link, and collects all other facts meanwhile.
    pub async fn try_and_collect(
        &self,
        case: &Case<'_>,
        prover: &Prover,
        claim: &Claim,
    ) -> (Result<Proof>, Option<Facts>) {
        self.try_with(case, prover, claim, self.halves(case, Some(prover))).await
    }

    /// Tries the link, and takes the halves from elsewhere.
    pub async fn try_with(
        &self,
        case: &Case<'_>,
        prover: &Prover,
        claim: &Claim,
        halves: impl Future<Output = (LinkFacts, SourceFacts, TargetFacts)>,
    ) -> (Result<Proof>, Option<Facts>) {
        let (proof, halves, caller) = {
            // Such a proof ends with the session: the halves are read anyway.
            let prove = prover.prove(claim, std::future::pending(), async |_| None, &());
            // On the heap: futures nested more deeply are too much for the compiler.
            tokio::join!(Box::pin(prove), Box::pin(halves), Box::pin(self.caller(prover, claim)))
        };
        let caller = CallerFacts { mfa: if prover.has_mfa(claim) { Mfa::Present } else { caller.mfa }, ..caller };
        let tried = Tried::of(&proof, prover.region(claim), prover.lacks_device());
        let facts = tried.zip(requested(prover, claim));
        let mut facts = facts.map(|(tried, request)| Facts {
            clock_ahead: clock_ahead(prover),
            ..self.together(case, request, tried, halves, caller)
        });
        if let Some(facts) = &mut facts {
            Box::pin(self.look_for_key(facts, prover)).await;
        }
        (proof, facts)
    }

    /// Looks for the access key among those of the user, if AWS does not know it.
    async fn look_for_key(&self, facts: &mut Facts, prover: &Prover) {
        if facts.is_key_unknown()
            && facts.source.user.present().is_some()
            && let Some(user) = facts.link.principal.user_name().cloned()
            && let Ok(access) = self.operators.source().await
        {
            let status = collect::key_status(&access, &user, prover.access().key_id()).await;
            facts.source.callers_key = Some(status);
        }
    }

    async fn halves(&self, case: &Case<'_>, prover: Option<&Prover>) -> (LinkFacts, SourceFacts, TargetFacts) {
        let link = self.link(case, prover).await;
        let source = async {
            match case.written {
                Some(_) => self.source(&link).await,
                None => self.shared_source(&link).await,
            }
        };
        let target = async {
            let access = match &case.target {
                Some(access) => Ok(access.clone()),
                None => self.operators.target(case.link).await,
            };
            collect::target(access.map(Reader::from), &link, now(self.run)).await
        };
        let (source, target) = tokio::join!(source, target);
        (link, source, target)
    }

    /// Reads the source account.
    async fn source(&self, link: &LinkFacts) -> SourceFacts {
        collect::source(self.operators.source().await.map(Reader::from), link, now(self.run)).await
    }

    /// Returns the source account, read once for each principal: nothing in it depends on the link.
    async fn shared_source(&self, link: &LinkFacts) -> SourceFacts {
        let read = {
            let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sources.entry(link.label()).or_default())
        };
        read.get_or_init(|| self.source(link)).await.clone()
    }

    async fn caller(&self, prover: &Prover, claim: &Claim) -> CallerFacts {
        let in_environment =
            async { *self.user_in_environment.get_or_init(|| self.is_user_in_environment(prover.access())).await };
        let (mut caller, in_environment) = tokio::join!(collect::caller(prover, claim), in_environment);
        caller.is_user_in_environment = in_environment;
        let variable = |name| self.run.context.variable(name);
        // Keys in the environment take precedence, unless an option or the file names a profile.
        let has_keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].into_iter().all(|name| variable(name).is_some());
        // The SDK asks the machine if the profile has no credentials.
        let from_environment = (has_keys || caller.machine.is_some()) && caller.profile.is_none();
        caller.hidden_profile = variable("AWS_PROFILE").filter(|_| from_environment).map(str::to_owned);
        self.add_profile_of_user(&mut caller);
        caller
    }

    /// Returns whether the access key in the environment belongs to the user, though a profile was used.
    async fn is_user_in_environment(&self, used: &Access) -> bool {
        if used.profile.is_none() || !environment::has_keys() {
            return false;
        }
        let silent = self.connections.that_ask_nobody();
        let owner = async { sts::caller(&silent.access(Some(environment::PROFILE)).await?).await };
        // It is only a suggestion: no answer is none.
        let Ok(owner) = owner.await else { return false };
        let is_named = self.principals.iter().any(|principal| principal.is(&owner.arn));
        is_named && self.account.as_ref().is_none_or(|account| *account == owner.account)
    }

    /// Adds the profile with the same name as the user, if there is one.
    fn add_profile_of_user(&self, caller: &mut CallerFacts) {
        let Some(user) = self.principals.first().map(|principal| principal.name().to_owned()) else { return };
        let is_another = caller.profile.as_ref() != Some(&user);
        caller.profile_of_user =
            Some(user).filter(|user| is_another && self.connections.profiles().require(user).is_ok());
    }

    /// Returns the principal of a link whose credentials are used; otherwise its first one.
    async fn at_hand(&self, case: &Case<'_>, prover: Option<&Prover>) -> PrincipalRef {
        let principals = case.link.principals.as_slice();
        let caller = match (principals, prover) {
            ([] | [PrincipalRef::User(_) | PrincipalRef::Role(_)], _) | (_, None) => None,
            (_, Some(prover)) => prover.caller().await.ok(),
        };
        let is_it = |principal: &&PrincipalRef| caller.as_ref().is_some_and(|caller| principal.is(&caller.arn));
        let first = || principals.first().or(self.principals.first()).cloned();
        let is_exact = |principal: &&PrincipalRef| !matches!(principal, PrincipalRef::Group(_)) && is_it(principal);
        let found = principals.iter().find(is_exact).or_else(|| principals.iter().find(is_it)).cloned().or_else(first);
        // Never in practice: each link has a principal by now.
        found.unwrap_or_else(|| PrincipalRef::Role(RoleRef::Arn(case.role.clone())))
    }

    /// Returns who asks AWS for this principal, and the principal, if that is another one: the credentials of a group are
    /// those of a member, and those of a permission set are those of its role.
    async fn asking(&self, principal: PrincipalRef, prover: Option<&Prover>) -> (PrincipalRef, Option<PrincipalRef>) {
        let (PrincipalRef::Group(_) | PrincipalRef::PermissionSet(_), Some(prover)) = (&principal, prover) else {
            return (principal, None);
        };
        match prover.caller().await.ok().map(|caller| caller.arn.clone()) {
            Some(CallerArn::AssumedRole { role, .. })
                if set_of_role(role.as_str())
                    .is_some_and(|set| PrincipalRef::PermissionSet(set).label() == principal.label()) =>
            {
                // Only IAM knows the path.
                (PrincipalRef::Role(RoleRef::Name { path: IamPath::root(), name: role }), Some(principal))
            }
            Some(CallerArn::User(user)) if principal.is(&CallerArn::User(user.clone())) => {
                (PrincipalRef::User(UserRef::Name(user.name)), Some(principal))
            }
            _ => (principal, None),
        }
    }

    /// Returns the link as the facts describe it.
    pub async fn link(&self, case: &Case<'_>, prover: Option<&Prover>) -> LinkFacts {
        let link = case.link;
        let principals = &link.principals;
        let of_link = self.at_hand(case, prover).await;
        let others = principals.iter().filter(|other| other.label() != of_link.label()).cloned().collect();
        let organization = self.grant.organization_of(&of_link).cloned();
        let is_referenced = self.grant.is_referenced(&of_link);
        let set = self
            .account
            .as_ref()
            .filter(|_| is_referenced)
            .map(|account| of_link.at_root(case.role.partition, account));
        let (principal, through) = self.asking(of_link, prover).await;
        LinkFacts {
            name: link.name.clone(),
            file: self.run.file.path.display().to_string(),
            role: case.role.clone(),
            source_account: self.account.clone(),
            other_principals: others,
            principal,
            through,
            set_policy: set.as_ref().map(set_policy_arn),
            organization,
            external_id: link.external_id.known().cloned(),
            old_external_ids: link.old_external_ids.clone(),
            require_mfa: link.require_mfa,
            restrict_to_user: link.restrict_to_user,
            has_policies: !link.policy_arns.is_empty() || !link.policy_files.is_empty(),
            checks_s3: link.probe != Probe::Identity,
            bucket_tags: link.bucket_tags.iter().map(|tag| (tag.key.to_string(), tag.value.to_string())).collect(),
            is_bucket_regional: link.bucket_namespace == BucketNamespace::AccountRegional,
            accept: link.accept.clone(),
            trust_statements: Some(&link.trust_statements)
                .filter(|document| !document.statements.is_empty())
                .map(|document| FoundDocument::Policy(document.clone())),
            is_recorded: link.id.is_some(),
            exclusive: link.exclusive,
            lacks_config: false,
        }
    }

    fn together(
        &self,
        case: &Case<'_>,
        request: RequestFacts,
        tried: Tried,
        (link, source, target): (LinkFacts, SourceFacts, TargetFacts),
        caller: CallerFacts,
    ) -> Facts {
        Facts {
            schema_version: SCHEMA_VERSION,
            redacted: false,
            joined: false,
            asked_at: now(self.run),
            clock_ahead: None,
            link,
            caller,
            request,
            answer: tried.answer,
            let_through: tried.let_through,
            refusals_tried: tried.refusals_tried,
            s3: tried.s3,
            written_seconds_ago: case.written.map(|at| at.elapsed().as_secs()),
            source,
            target,
        }
    }

    /// Collects what the operators can read, if there are no credentials to try the link with.
    pub async fn without_caller(&self, case: &Case<'_>, error: &Error) -> Option<Facts> {
        let asked = case.link;
        let request = self.untried(asked, case.role)?;
        let tried = Tried::of(&Err(error.clone()), &request.region, false)?;
        let mut caller = collect::no_caller(error);
        self.add_profile_of_user(&mut caller);
        let halves = self.halves(case, None).await;
        Some(self.together(case, request, tried, halves, caller))
    }

    /// Collects what the operators can read about a link as this principal would use it: nothing is tried.
    ///
    /// # Errors
    /// When the principal is of another account than the source account, or has another path.
    pub async fn evaluated(&self, case: &Case<'_>, principal: &PrincipalRef) -> Result<Facts> {
        self.check_account(principal)?;
        let mut facts = self.as_if(case, principal).await?;
        let link = &mut facts.link;
        (link.principal, link.through) = self.acting(principal.clone()).await;
        let source = self.shared_source(link);
        let target = async {
            let access = self.operators.target(case.link).await;
            collect::target(access.map(Reader::from), link, now(self.run)).await
        };
        let (source, target) = tokio::join!(Box::pin(source), Box::pin(target));
        // AWS finds a principal by its name alone.
        let found = source.user.present().and_then(|found| found.arn.parse::<PrincipalArn>().ok());
        let found = found.filter(|_| facts.link.through.is_none());
        if let Some((found, error)) = found.and_then(|found| other_path(principal, &found).map(|error| (found, error)))
        {
            let path = self.run.file.path.display();
            return Err(error.hint(format!("name it {} in --as, and in `{path}`", found.reference())));
        }
        Ok(Facts { source, target, ..facts })
    }

    /// Evaluates a link for the principals as which a proof of it did not run, with what was read anyway: the trust policy, and
    /// these grants, by principal; `lacking` are permission sets that were found to lack it. Sends no request, and says what was
    /// found.
    pub async fn others(
        &self,
        case: &Case<'_>,
        proof: &Proof,
        grants: &[(PrincipalArn, FoundDocument)],
        lacking: &[PrincipalRef],
    ) -> Vec<String> {
        let Some(tested) = proof.tested_as.as_ref().filter(|_| proof.outcome == Outcome::Works) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for other in case.link.principals.iter().filter(|other| !other.is_same(tested)) {
            if lacking.iter().any(|lacking| lacking.is_same(other)) {
                found.push(format!("{} by evaluation, not tested: it has no grant yet", other.label()));
                continue;
            }
            let Ok(mut facts) = self.as_if(case, other).await else { continue };
            if let Some(role) = &proof.role {
                facts.target.role = Reading::Present(role.clone().into());
            }
            if let Some((arn, grant)) = grants.iter().find(|(arn, _)| arn.reference().is_same(other)) {
                let inline = [(GRANT_POLICY.to_owned(), Reading::Present(grant.clone()))];
                facts.source.policies.inline = Reading::Present(inline.into());
                facts.caller.identity = as_caller(arn).map_or(Reading::Absent, Reading::Present);
            }
            let diagnosis = diagnose(&facts);
            let Some(Evaluated { verdict, trust, grant, .. }) = diagnosis.evaluated else { continue };
            let allows = |verdict: Option<Verdict>| verdict.is_some_and(Verdict::allows);
            let what = match diagnosis.findings.first().filter(|_| verdict.refuses()) {
                Some(finding) => format!("not allowed: {}", finding.summary),
                None if allows(trust) && allows(grant) => "trust policy and grant allow it".to_owned(),
                None if allows(trust) => "the trust policy allows it; its own policies were not read".to_owned(),
                None => "not decided by what was read".to_owned(),
            };
            found.push(format!("{} by evaluation, not tested: {what}", other.label()));
        }
        found
    }

    /// Returns the facts about a link as this principal would use it, with nothing read.
    async fn as_if(&self, case: &Case<'_>, principal: &PrincipalRef) -> Result<Facts> {
        let asked =
            self.untried(case.link, case.role).ok_or_else(|| Error::new(Kind::Internal, "no Region is known"))?;
        let name = case.link.session_name.as_ref().map_or(principal.name(), |name| name.as_str());
        let request = RequestFacts { session_name: name.to_owned(), ..asked };
        let is_it = |other: &PrincipalRef| other.label() == principal.label();
        let others = case.link.principals.iter().filter(|other| !is_it(other)).cloned().collect();
        let link = self.link(case, None).await;
        let link = LinkFacts { principal: principal.clone(), through: None, other_principals: others, ..link };
        let is_role = principal.acts_as_role();
        let mfa = if link.require_mfa && !is_role { Mfa::Present } else { Mfa::Absent };
        let caller = CallerFacts {
            origin: "none".to_owned(),
            is_session: is_role,
            mfa,
            identity: Reading::Absent,
            ..collect::no_caller(&Error::new(Kind::Credentials, "evaluated"))
        };
        let answer = Answer::NotSent(NotSent::Evaluated);
        let tried = Tried { answer, let_through: BTreeSet::new(), refusals_tried: BTreeSet::new(), s3: None };
        let why = "xacct did not read it";
        let halves = (link, SourceFacts::not_read(why), TargetFacts::not_read(why));
        Ok(self.together(case, request, tried, halves, caller))
    }

    /// Refuses a principal of another account.
    fn check_account(&self, principal: &PrincipalRef) -> Result<()> {
        let (Some(found), Some(source)) = (principal.account(), &self.account) else { return Ok(()) };
        if found == source {
            return Ok(());
        }
        let words = principal.in_words();
        Err(Error::usage(format!("{words} is in account {found}, but the source account is {source}"))
            .hint(format!("name a principal of account {source}: --as KIND/NAME")))
    }

    /// Returns the role that acts for a permission set, and the set; any other principal acts itself.
    async fn acting(&self, principal: PrincipalRef) -> (PrincipalRef, Option<PrincipalRef>) {
        let PrincipalRef::PermissionSet(name) = &principal else { return (principal, None) };
        let Ok(access) = self.operators.source().await else { return (principal, None) };
        let found = observe::permission_set(&access, name).await.ok();
        let role = found.and_then(|set| set.present()?.roles.first().map(|role| role.arn.clone()));
        match role {
            Some(role) => {
                (PrincipalRef::Role(RoleRef::Name { path: IamPath::root(), name: role.name }), Some(principal))
            }
            None => (principal, None),
        }
    }

    /// Reads the role alone: nothing is tried.
    ///
    /// # Errors
    /// When the Region is unknown, which would be a bug.
    pub async fn role_alone(&self, case: &Case<'_>) -> Result<Facts> {
        let why = Error::new(Kind::Internal, "not tried");
        let request = self.untried(case.link, case.role).ok_or_else(|| why.clone())?;
        let answer = Answer::NotSent(NotSent::NoCredentials(why.message.clone()));
        let tried = Tried { answer, let_through: BTreeSet::new(), refusals_tried: BTreeSet::new(), s3: None };
        let link = self.link(case, None).await;
        let target = self.operators.target(case.link).await;
        let target = collect::target(target.map(Reader::from), &link, now(self.run)).await;
        let halves = (link, SourceFacts::not_read(&why.message), target);
        Ok(self.together(case, request, tried, halves, collect::no_caller(&why)))
    }

    /// Returns the request that would be sent. `None` if no Region is known.
    fn untried(&self, link: &Link, role: &RoleArn) -> Option<RequestFacts> {
        // Without credentials, nothing else names a Region.
        let region = match &link.region {
            Some(region) => region.clone(),
            None => role.partition.default_region().parse().ok()?,
        };
        Some(RequestFacts {
            region,
            session_name: link.session_name.as_ref().map_or_else(
                || self.principals.first().map_or("xacct", PrincipalRef::name).to_owned(),
                ToString::to_string,
            ),
            external_id: link.external_id.known().map(ToString::to_string),
            duration_seconds: None,
            tags: link.session_tags.iter().map(|tag| (tag.key.to_string(), tag.value.to_string())).collect(),
            source_identity: link.source_identity.as_ref().map(ToString::to_string),
        })
    }
}

/// Returns the caller that this principal would be; `None` for one that others act for.
fn as_caller(principal: &PrincipalArn) -> Option<CallerArn> {
    match principal {
        PrincipalArn::User(user) => Some(CallerArn::User(user.clone())),
        PrincipalArn::Role(role) => Some(CallerArn::parse(&format!(
            "arn:{}:sts::{}:assumed-role/{}/xacct",
            role.partition, role.account, role.name
        ))),
        PrincipalArn::Group(_) | PrincipalArn::PermissionSet(_) => None,
    }
}

/// Returns the request that the proof sent.
fn requested(prover: &Prover, claim: &Claim) -> Option<RequestFacts> {
    let request = prover.request(claim).ok()?;
    Some(RequestFacts::from((&request, prover.region(claim))))
}

/// Returns by how many seconds AWS's clock is ahead of this machine's; `None` if unknown or too little to measure. AWS
/// gives its time in whole seconds, without the fraction: this rounds up.
fn clock_ahead(prover: &Prover) -> Option<i64> {
    let ahead = prover.clock_ahead();
    let seconds = ahead.whole_seconds() + i64::from(ahead.subsec_nanoseconds() > 0);
    Some(seconds).filter(|seconds| seconds.abs() > 1)
}

/// Returns the time, in seconds since 1970.
pub fn now(run: &Run<'_>) -> Option<i64> {
    let elapsed = (run.context.now)().duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(elapsed.as_secs()).ok()
}
