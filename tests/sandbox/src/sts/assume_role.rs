//! `AssumeRole`.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::call::{Call, check_region, write_credentials};
use super::mfa;
use crate::authorize::{PolicyType, Question, Refusal};
use crate::caller::Kind;
use crate::context::Context;
use crate::error::ApiError;
use crate::iam::read_tags;
use crate::policy::{self, Use, is_account_id};
use crate::request::{Parameters, Pattern, Validator};
use crate::world::{Account, Role, RoleUse, Session, SessionOf, Tags};
use crate::xml::Xml;

/// Maximum total size of session policies and tags, in characters.
const PACKED_SIZE: usize = 2048;
/// Maximum duration of a session with role chaining, in seconds.
const CHAINED_SECONDS: i64 = 3600;

/// The parameters, after the check of their format.
struct Wish {
    role_arn: String,
    session_name: String,
    duration: Option<i64>,
    external_id: Option<String>,
    source_identity: Option<String>,
    tags: Tags,
    transitive_tags: BTreeSet<String>,
    policy: Option<Value>,
    policy_arns: Vec<String>,
}

pub(super) fn assume_role(call: &mut Call<'_>) -> Result<Xml, ApiError> {
    let wish = read(call.parameters)?;
    if call.caller.kind == Kind::Root {
        return Err(ApiError::access_denied("Roles may not be assumed by root accounts."));
    }
    check_region(call, wish.role_arn.split(':').nth(4).unwrap_or_default())?;
    let with_mfa = mfa::check(call)?;
    let inherited = inherit(call, &wish)?;

    let honoured = Arc::clone(&call.honoured);
    let account = wish.role_arn.split(':').nth(4).and_then(|id| honoured.get(id));
    let found = account.and_then(|account| {
        let role = account.roles.values().find(|role| account.role_arn(role) == wish.role_arn)?;
        Some((account.as_ref(), role))
    });
    let context = context(call, &wish, &inherited, with_mfa, found);
    let mut actions = vec!["sts:AssumeRole"];
    if !inherited.tags.is_empty() {
        actions.push("sts:TagSession");
    }
    if inherited.source_identity.is_some() {
        actions.push("sts:SetSourceIdentity");
    }
    for action in actions {
        decide(call, &wish, action, &context, found)?;
    }
    let Some((account, role)) = found else {
        return Err(refused(call, &wish, "sts:AssumeRole", None));
    };
    let duration = session_duration(call, &wish, role)?;
    let (policies, packed_size) = session_policies(&wish, &inherited.tags, account)?;

    let of = SessionOf::Role { id: role.id.clone(), session_name: wish.session_name.clone() };
    let session = Session {
        tags: inherited.tags,
        transitive_tags: inherited.transitive_tags,
        source_identity: inherited.source_identity,
        policies,
        is_version_1: call.world.is_global_endpoint,
        ..Session::new(&account.id, of, call.now, duration)
    };
    let answer = Xml::build(|xml| {
        xml.element("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", format!("{}:{}", role.id, wish.session_name));
            let arn = format!("arn:aws:sts::{}:assumed-role/{}/{}", account.id, role.name, wish.session_name);
            xml.text("Arn", arn);
        });
        write_credentials(xml, &session);
        xml.optional("PackedPolicySize", packed_size);
        xml.optional("SourceIdentity", session.source_identity.as_ref());
    });
    // Assumed: AssumeRole counts as a use of the role, in the Region of the request.
    let used = RoleUse { at: call.now, region: call.caller.region.clone() };
    if let Some(role) = call.world.role_mut(&account.id, &role.name) {
        role.uses.push(used);
    }
    call.world.sessions.insert(session.key.id.clone(), session);
    Ok(answer)
}

fn read(parameters: &Parameters) -> Result<Wish, ApiError> {
    let mut validator = Validator::default();
    let arn = parameters.get("RoleArn");
    let role_arn = validator.required_text("roleArn", arn, 20..=2048, Pattern::ANY);
    let name = parameters.get("RoleSessionName");
    let session_name = validator.required_text("roleSessionName", name, 2..=64, Pattern::NAME);
    let external_id = parameters.get("ExternalId");
    validator.text("externalId", external_id, 2..=1224, Pattern::EXTERNAL_ID);
    let source_identity = parameters.get("SourceIdentity");
    validator.text("sourceIdentity", source_identity, 2..=64, Pattern::NAME);
    let policy = parameters.get("Policy");
    validator.text("policy", policy, 1..=usize::MAX, Pattern::DOCUMENT);
    mfa::validate(&mut validator, parameters);
    let duration = parameters.get("DurationSeconds");
    let duration = validator.number("durationSeconds", duration, 900..=43_200)?;
    let policy_arns: Vec<String> =
        parameters.pairs("PolicyArns", "arn", "arn").into_iter().map(|(arn, _)| arn).collect();
    if policy_arns.len() > 10 {
        validator.broken(
            "Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10",
        );
    }
    validator.finish()?;
    if !is_role_arn_shaped(role_arn) {
        return Err(ApiError::validation(format!("{role_arn} is invalid")));
    }
    if source_identity.is_some_and(|identity| identity.to_ascii_lowercase().starts_with("aws:")) {
        return Err(ApiError::validation("The source identity may not begin with aws:"));
    }
    let policy = policy.map(|text| policy::parse(text, Use::Identity)).transpose()?;
    let tags = read_tags(parameters, "InvalidParameterValue")?;
    let keys = parameters.strings("TransitiveTagKeys");
    let transitive_tags: BTreeSet<String> = keys.iter().map(|key| key.to_ascii_lowercase()).collect();
    let is_tag = |wanted: &String| tags.keys().any(|key| key.eq_ignore_ascii_case(wanted));
    if !transitive_tags.iter().all(is_tag) {
        let message = "The specified transitive tag key must be included in the requested tags.";
        return Err(ApiError::new(400, "InvalidParameterValue", message));
    }
    Ok(Wish {
        role_arn: role_arn.to_owned(),
        session_name: session_name.to_owned(),
        duration,
        external_id: external_id.map(str::to_owned),
        source_identity: source_identity.map(str::to_owned),
        tags,
        transitive_tags,
        policy,
        policy_arns,
    })
}

/// Returns whether an ARN is well-formed, even if the role does not exist.
fn is_role_arn_shaped(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", partition, "iam", "", account, resource] => {
            partition.starts_with("aws") && is_account_id(account) && !resource.is_empty()
        }
        _ => false,
    }
}

/// Tags and source identity of the new session, including those that it inherits from the calling session.
struct Inherited {
    tags: Tags,
    transitive_tags: BTreeSet<String>,
    source_identity: Option<String>,
}

fn inherit(call: &Call<'_>, wish: &Wish) -> Result<Inherited, ApiError> {
    let mut inherited = Inherited {
        tags: wish.tags.clone(),
        transitive_tags: wish.transitive_tags.clone(),
        source_identity: wish.source_identity.clone(),
    };
    let Some(session) = &call.caller.session else {
        return Ok(inherited);
    };
    for (key, value) in &session.tags {
        if !session.transitive_tags.contains(&key.to_ascii_lowercase()) {
            continue;
        }
        if wish.tags.keys().any(|other| other.eq_ignore_ascii_case(key)) {
            return Err(ApiError::new(
                400,
                "InvalidParameterValue",
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key \
                 from the calling session.",
            ));
        }
        inherited.tags.insert(key.clone(), value.clone());
        inherited.transitive_tags.insert(key.to_ascii_lowercase());
    }
    match (&session.source_identity, &wish.source_identity) {
        (Some(old), Some(new)) if old != new => {
            return Err(ApiError::validation("The source identity is already set for this assume role session"));
        }
        (Some(old), _) => inherited.source_identity = Some(old.clone()),
        (None, _) => {}
    }
    Ok(inherited)
}

fn context(
    call: &Call<'_>,
    wish: &Wish,
    inherited: &Inherited,
    with_mfa: bool,
    found: Option<(&Account, &Role)>,
) -> Context {
    let mut context = Context::of(call.caller, &call.honoured, call.now);
    context.set("sts:RoleSessionName", &wish.session_name);
    if let Some(id) = &wish.external_id {
        context.set("sts:ExternalId", id);
    }
    if let Some(identity) = &inherited.source_identity {
        context.set("sts:SourceIdentity", identity);
    }
    if with_mfa {
        context.set("aws:MultiFactorAuthPresent", "true");
        context.set("aws:MultiFactorAuthAge", "0");
    }
    context.set_request_tags(&wish.tags);
    if !wish.transitive_tags.is_empty() {
        context.set_list("sts:TransitiveTagKeys", wish.transitive_tags.iter().cloned().collect());
    }
    if let Some((account, role)) = found {
        context.set_resource_account(&account.id, &call.honoured);
        for (key, value) in &role.tags {
            context.set(&format!("aws:ResourceTag/{key}"), value);
            context.set(&format!("iam:ResourceTag/{key}"), value);
        }
    }
    context
}

fn decide(
    call: &Call<'_>,
    wish: &Wish,
    action: &str,
    context: &Context,
    found: Option<(&Account, &Role)>,
) -> Result<(), ApiError> {
    let question =
        Question { caller: call.caller, action, resource: &wish.role_arn, context, accounts: &call.honoured };
    match found {
        None => Err(refused(call, wish, action, None)),
        Some((account, role)) => {
            question.decide_with_trust(account, role).map_err(|refusal| refused(call, wish, action, Some(refusal)))
        }
    }
}

/// Returns the error. AWS tells neither which side denied the request nor whether the role exists, across accounts and
/// within one, but it names control policies. Their ARN is not recorded for STS.
fn refused(call: &Call<'_>, wish: &Wish, action: &str, refusal: Option<Refusal>) -> ApiError {
    let told = refusal.filter(|refusal| {
        let (Refusal::Denied(policy) | Refusal::NotAllowed(policy)) = refusal;
        matches!(policy, PolicyType::ServiceControl | PolicyType::ResourceControl)
    });
    ApiError::access_denied(format!(
        "User: {} is not authorized to perform: {action} on resource: {}{}",
        call.caller.arn,
        wish.role_arn,
        told.map_or_else(String::new, |refusal| refusal.tail(action))
    ))
}

/// Returns the session's duration. Checks the role's limit before the limit for role chaining.
fn session_duration(call: &Call<'_>, wish: &Wish, role: &Role) -> Result<i64, ApiError> {
    let duration = wish.duration.unwrap_or(3600);
    if duration > role.max_session_duration {
        return Err(ApiError::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    // A session of GetSessionToken counts, too; MFA parameters of AssumeRole itself need an access key.
    if call.caller.session.is_some() && duration > CHAINED_SECONDS {
        return Err(ApiError::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    Ok(duration)
}

/// Returns the session policies, and the percentage of the allowed size that they and the tags use.
fn session_policies(wish: &Wish, tags: &Tags, account: &Account) -> Result<(Vec<Value>, Option<usize>), ApiError> {
    let mut policies: Vec<Value> = wish.policy.iter().cloned().collect();
    for arn in &wish.policy_arns {
        let policy = account.policy(arn).ok_or_else(|| {
            ApiError::validation(format!("The requested policy {arn} does not exist or is not attachable."))
        })?;
        policies.push(policy.document().clone());
    }
    let inline = wish.policy.as_ref().map_or(0, |policy| policy.to_string().chars().count());
    let arns: usize = wish.policy_arns.iter().map(String::len).sum();
    let tags: usize = tags.iter().map(|(key, value)| key.len() + value.len()).sum();
    let size = inline + arns + tags;
    if size == 0 {
        return Ok((policies, None));
    }
    let percent = (size * 100).div_ceil(PACKED_SIZE);
    if percent > 100 {
        // AWS's recorded message about tags alone; assumed: the same words about policies.
        let what = if policies.is_empty() { "session tags" } else { "session policies and tags" };
        let message = format!("Packed size of {what} consumes {percent}% of allotted space.");
        return Err(ApiError::new(400, "PackedPolicyTooLarge", message));
    }
    Ok((policies, Some(percent)))
}
