//! The requests to evaluate, with every condition key whose value is known.

use time::format_description::well_known::Rfc3339;

use super::denial::Denial;
use super::facts::{Facts, Mfa};
use crate::iam::arn::{CallerArn, PrincipalRef};
use crate::iam::evaluate::{Context, Principal, Request};
use crate::iam::names::{Region, SAMPLE_SUFFIX, test_bucket_name};
use crate::iam::policy::{Element, Principals, Statement, is_unique_id};

/// The condition key for the namespace of a new bucket.
pub const BUCKET_NAMESPACE: &str = "s3:x-amz-bucket-namespace";

/// A request and which of its condition keys are known.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The request, with the known condition keys.
    pub request: Request,
    tags_known: bool,
    mfa_known: bool,
    resource_tags_known: bool,
    /// Whether the principal's ARN is known, and not only its name.
    arn_known: bool,
    is_session: bool,
    /// Whether xacct knows what else the request sends, such as tags.
    parameters_known: bool,
    /// Whether the request is for one resource, and not for any.
    pub is_resource_known: bool,
}

impl Asked {
    /// Returns whether the value of a condition key is unknown. Many keys are known to be absent from such a request
    /// (IAM User Guide, AWS global condition context keys).
    pub fn is_unknown(&self, key: &str) -> bool {
        const ABSENT: [&str; 16] = [
            "sts:externalid",
            "sts:rolesessionname",
            "sts:sourceidentity",
            "sts:transitivetagkeys",
            "aws:tagkeys",
            "aws:sourceidentity",
            "aws:federatedprovider",
            "aws:calledvia",
            "aws:calledviafirst",
            "aws:calledvialast",
            "aws:sourcearn",
            "aws:sourceaccount",
            "aws:principalservicename",
            "aws:principalservicenameslist",
            // Assumed: absent from a request without the header, as other `s3:x-amz-…` keys are.
            BUCKET_NAMESPACE,
            // Assumed: absent from all requests but CreateBucket with a location.
            "s3:locationconstraint",
        ];
        let key = key.to_ascii_lowercase();
        const SENT: [&str; 5] =
            ["aws:tagkeys", "sts:externalid", "sts:rolesessionname", BUCKET_NAMESPACE, "s3:locationconstraint"];
        let is_sent = SENT.contains(&key.as_str()) || key.starts_with("aws:requesttag/") || key.starts_with("sts:");
        if !self.parameters_known && is_sent && self.request.context.get(&key).is_empty() {
            return true;
        }
        if !self.request.context.get(&key).is_empty() || ABSENT.contains(&key.as_str()) {
            return false;
        }
        if key.starts_with("aws:multifactorauth") {
            return !self.mfa_known;
        }
        if key.starts_with("aws:principaltag/") {
            return !self.tags_known;
        }
        if key.starts_with("aws:resourcetag/") || key.starts_with("iam:resourcetag/") {
            return !self.resource_tags_known;
        }
        if key == "aws:username" {
            // Sessions of roles have none (IAM User Guide, AWS global condition context keys).
            return !self.request.context.get("aws:principaltype").iter().any(|kind| kind == "AssumedRole");
        }
        if key == "aws:tokenissuetime" {
            // Requests with access keys lack this key.
            return self.is_session;
        }
        !["aws:requesttag/", "saml:"].iter().any(|known| key.starts_with(known))
    }

    /// Returns whether a statement that does not match the principal may still name it, because its ARN and unique ID
    /// are unknown.
    pub fn may_be_meant(&self, statement: &Statement) -> bool {
        let listed = match &statement.principal {
            Some(Element::Is(Principals::Listed(kinds))) => kinds.get("AWS"),
            _ => None,
        };
        let Some(Principal { account, .. }) = self.request.principal.as_aws() else { return false };
        let may_be = |id: &String| !id.contains(':') || id.contains(&format!(":{account}:")) && !id.ends_with(":root");
        !self.arn_known && listed.is_some_and(|listed| listed.iter().any(may_be))
    }
}

/// Returns the AssumeRole request of the link's user, for one of the actions that it needs.
pub fn of_assume_role(facts: &Facts, action: &str) -> Asked {
    let user = facts.source.user.present();
    let partition = facts.link.role.partition;
    let account = facts.probable_source_account().unwrap_or(&facts.link.role.account).clone();
    let arn = user.map(|user| user.arn.clone());
    let arn = arn.or_else(|| facts.arn_of_caller().map(|arn| arn.to_string()));
    let is_user = facts.link.principal.user().is_some();
    let has_typed_path = matches!(facts.link.of_link(), PrincipalRef::Role(_));
    let arn_known = arn.is_some() || has_typed_path;
    let arn = arn.unwrap_or_else(|| facts.link.principal.at_root(partition, &account).to_string());

    let mut context = Context::default();
    if arn_known {
        context.set("aws:PrincipalArn", [arn.clone()]);
    }
    set_time(&mut context, facts);
    context.set("aws:PrincipalIsAWSService", ["false"]);
    context.set("aws:PrincipalAccount", [account.to_string()]);
    let is_role = facts.link.principal.acts_as_role();
    context.set("aws:PrincipalType", [if is_role { "AssumedRole" } else { "User" }]);
    context.set("aws:username", facts.link.principal.user_name().map(ToString::to_string));
    if let Some(user) = user {
        let session = facts.caller.identity.present().and_then(CallerArn::session);
        match (is_user, session) {
            (true, _) => context.set("aws:userid", [user.unique_id.clone()]),
            // The ID of a session includes its name (IAM User Guide, policy variables).
            (false, Some(session)) => context.set("aws:userid", [format!("{}:{session}", user.unique_id)]),
            (false, None) => {}
        }
        for (key, value) in &user.tags {
            context.set(&format!("aws:PrincipalTag/{key}"), [value.clone()]);
        }
    }
    let request = &facts.request;
    context.set("aws:RequestedRegion", [request.region.to_string()]);
    context.set("aws:SecureTransport", ["true"]);
    context.set("aws:ViaAWSService", ["false"]);
    context.set("aws:ResourceAccount", [facts.link.role.account.to_string()]);
    context.set("sts:RoleSessionName", [request.session_name.clone()]);
    context.set("sts:ExternalId", request.external_id.clone());
    context.set("sts:SourceIdentity", request.source_identity.clone());
    for (key, value) in &request.tags {
        context.set(&format!("aws:RequestTag/{key}"), [value.clone()]);
    }
    context.set("aws:TagKeys", request.tags.keys().cloned());
    match facts.caller.mfa {
        Mfa::Present => {
            context.set("aws:MultiFactorAuthPresent", ["true"]);
            context.set("aws:MultiFactorAuthAge", ["0"]);
        }
        // The key exists for temporary credentials only.
        Mfa::Absent if facts.caller.is_session => context.set("aws:MultiFactorAuthPresent", ["false"]),
        Mfa::Absent | Mfa::Unknown => {}
    }
    if let Some(role) = facts.target.role.present() {
        for (key, value) in &role.tags {
            context.set(&format!("aws:ResourceTag/{key}"), [value.clone()]);
            context.set(&format!("iam:ResourceTag/{key}"), [value.clone()]);
        }
    }
    // A trust policy may name one session of a role, too (IAM User Guide, Principal).
    let session = facts.caller_as_principal().filter(|caller| caller.session().is_some()).map(ToString::to_string);
    let arns = session.into_iter().chain([arn]).collect();
    let principal = Principal { account, arns, unique_id: user.map(|user| user.unique_id.clone()) };
    Asked {
        request: Request {
            principal: principal.into(),
            action: action.to_owned(),
            resource: facts.link.role.to_string(),
            context,
        },
        tags_known: user.is_some(),
        mfa_known: facts.caller.mfa != Mfa::Unknown,
        resource_tags_known: facts.target.role.present().is_some(),
        arn_known,
        is_session: facts.caller.is_session,
        parameters_known: true,
        is_resource_known: true,
    }
}

/// Sets the keys for the time of the request.
fn set_time(context: &mut Context, facts: &Facts) {
    let asked = facts.time();
    if let Some(text) = asked.and_then(|asked| asked.format(&Rfc3339).ok()) {
        context.set("aws:CurrentTime", [text]);
    }
    context.set("aws:EpochTime", asked.map(|asked| asked.unix_timestamp().to_string()));
}

/// Returns the S3 request of the role session.
pub fn of_s3(facts: &Facts, action: &str) -> Asked {
    let (role, region) = (&facts.link.role, facts.asked_region());
    let sample = || test_bucket_name(SAMPLE_SUFFIX, &role.account, region, facts.link.is_bucket_regional);
    let bucket = facts.s3.as_ref().map_or_else(sample, |s3| s3.bucket.clone());
    let named = Denial::of_s3(facts).resource.filter(|resource| resource.contains(":s3:::")).map(str::to_owned);
    let resource = named.unwrap_or_else(|| format!("arn:{}:s3:::{bucket}", role.partition));
    let mut asked = of_session(facts, region, action, resource);
    let context = &mut asked.request.context;
    // CreateBucket sends tags, location and namespace, and needs both actions.
    if ["s3:CreateBucket", "s3:TagResource"].contains(&action) {
        for (key, value) in &facts.link.bucket_tags {
            context.set(&format!("aws:RequestTag/{key}"), [value.clone()]);
        }
        context.set("aws:TagKeys", facts.link.bucket_tags.keys().cloned());
        // Assumed: what CreateBucket sends, which is nothing in us-east-1.
        context.set("s3:LocationConstraint", Some(region.to_string()).filter(|region| region != "us-east-1"));
        context.set(BUCKET_NAMESPACE, facts.link.is_bucket_regional.then_some("account-regional"));
    }
    asked
}

/// The resource of a request that is for no particular one: only `*` matches it.
const ANY_RESOURCE: &str = "*";

/// Returns a request of a role session for this action on this resource, or on any.
pub fn of_action(facts: &Facts, action: &str, resource: Option<&str>) -> Asked {
    let region = region_of_action(facts, resource);
    let mut asked = of_session(facts, &region, action, resource.unwrap_or(ANY_RESOURCE).to_owned());
    // Session tags come before those of the role (IAM User Guide, Pass session tags in AWS STS).
    for (key, value) in &facts.request.tags {
        asked.request.context.set(&format!("aws:PrincipalTag/{key}"), [value.clone()]);
    }
    Asked { parameters_known: false, is_resource_known: resource.is_some(), ..asked }
}

/// Returns the Region of such a request: that of the resource, or else of the link.
pub fn region_of_action(facts: &Facts, resource: Option<&str>) -> Region {
    let of_resource = resource.and_then(|arn| arn.split(':').nth(3)?.parse().ok());
    of_resource.unwrap_or_else(|| facts.request.region.clone())
}

/// Returns a request of the role session right after it was issued, in this Region.
fn of_session(facts: &Facts, region: &Region, action: &str, resource: String) -> Asked {
    let role = facts.target.role.present();
    // IAM shows the unique ID for a moment after the role was created.
    let arn = role.map(|role| role.arn.clone()).filter(|arn| !is_unique_id(arn));
    let arn = arn.unwrap_or_else(|| facts.link.role.to_string());
    let mut context = Context::default();
    context.set("aws:PrincipalArn", [arn.clone()]);
    context.set("aws:PrincipalAccount", [facts.link.role.account.to_string()]);
    context.set("aws:PrincipalType", ["AssumedRole"]);
    context.set("aws:PrincipalIsAWSService", ["false"]);
    set_time(&mut context, facts);
    // The test uses each session right after it was issued.
    context.set("aws:TokenIssueTime", facts.time().and_then(|asked| asked.format(&Rfc3339).ok()));
    context.set("aws:RequestedRegion", [region.to_string()]);
    context.set("aws:SecureTransport", ["true"]);
    context.set("aws:ViaAWSService", ["false"]);
    for (key, value) in role.iter().flat_map(|role| &role.tags) {
        context.set(&format!("aws:PrincipalTag/{key}"), [value.clone()]);
    }
    let principal = Principal { account: facts.link.role.account.clone(), arns: [arn].into(), unique_id: None };
    Asked {
        request: Request { principal: principal.into(), action: action.to_owned(), resource, context },
        tags_known: role.is_some(),
        // AssumeRole sessions carry no MFA; the User Guide does not say whether the key is then absent or `false`.
        mfa_known: false,
        resource_tags_known: false,
        arn_known: true,
        is_session: true,
        parameters_known: true,
        is_resource_known: true,
    }
}
