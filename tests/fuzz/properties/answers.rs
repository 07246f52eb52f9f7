//! Answers may come from a proxy, a mistyped endpoint or an attacker instead of AWS.

use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use xacct::aws::client::access::Access;
use xacct::aws::iam::observe;
use xacct::aws::iam::read::{self, Holder};
use xacct::aws::s3::{leftover_buckets, test_bucket};
use xacct::aws::sts::{self, AssumeRole};
use xacct::error::{Error, Kind, Result};
use xacct::iam::state::{Reading, RoleQuotas};

use super::{assert_bearable, is_plain, text};

const OWNER: &str = "222222222222";
const ROLE: &str = "arn:aws:iam::222222222222:role/xacct";

/// Every answer results in a short error or a value, never in a bug of the program.
///
/// The input is the name of the operation on a line, the status, a line for each header, an empty line and the body.
/// Returns whether xacct could read the answer: a value, or an error with a code.
pub fn answers(data: &[u8]) -> bool {
    let text = text(data);
    let Some((operation, answer)) = text.split_once('\n') else { return false };
    let Some(answer) = Answer::read(answer) else { return false };
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(answer.clone()));
    let access = Access::answered_by(client, "eu-west-1".parse().unwrap());
    // Throttling would only make the fuzzer wait.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let result = runtime.block_on(call(operation, &access));
    if let Err(error) = &result {
        assert_bearable(error);
        assert!(!matches!(error.kind, Kind::Internal | Kind::Usage), "{error:?}");
        let answer = error.aws.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(is_plain(&answer) && error.notes.iter().chain(&error.hints).all(|hint| is_plain(hint)), "{error:?}");
    }
    result.map_or_else(|error| error.aws.is_some_and(|answer| answer.code.is_some()), |()| true)
}

/// The answer to every request.
#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = StatusCode::try_from(lines.next()?.trim().parse::<u16>().ok()?).ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Some(Self { status, headers, body: body.to_owned() })
    }
}

impl HttpConnector for Answer {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let mut response = HttpResponse::new(self.status, SdkBody::from(self.body.as_str()));
        for (name, value) in self.headers.clone() {
            // An invalid header cannot have been received.
            let _ = response.headers_mut().try_append(name, value);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// One call for every type of answer.
async fn call(operation: &str, access: &Access) -> Result<()> {
    let (role, user) = ("xacct".parse()?, "alice".parse()?);
    let owner = OWNER.parse()?;
    let holder = Holder::Role("xacct");
    let nothing = || Err(Error::new(Kind::Aws, "nothing was read"));
    match operation {
        "GetRole" => looked(read::role(access, &role).await),
        "GetUser" => looked(read::user(access, &user).await),
        "ListRoles" => looked(read::roles_like(access, &role).await),
        "ListGroupsForUser" => looked(read::groups(access, "alice").await),
        "ListInstanceProfilesForRole" => looked(read::instance_profiles(access, &role).await),
        "ListMFADevices" => looked(read::mfa_devices(access, &user).await),
        "ListRolePolicies" => looked(read::inline_names(access, holder).await),
        "GetRolePolicy" => looked(read::inline(access, holder, "xacct-a").await),
        "ListAttachedRolePolicies" => looked(read::attached(access, holder).await),
        "GetPolicy" => looked(read::managed(access, "arn:aws:iam::aws:policy/A", &Default::default()).await),
        "ListPolicies" => {
            if read::versions(access).await.is_empty() {
                nothing()
            } else {
                Ok(())
            }
        }
        "GetAccountSummary" => {
            if observe::role_quotas(access).await == RoleQuotas::default() {
                nothing()
            } else {
                Ok(())
            }
        }
        "GetCallerIdentity" => sts::caller(access).await.map(drop),
        "AssumeRole" => {
            let request = AssumeRole::new(ROLE.parse()?, "xacct".parse()?);
            sts::assume(access, &request).await.map(drop)
        }
        "GetSessionToken" => sts::get_session_token(access, None, 900).await.map(drop),
        "HeadBucket" => test_bucket::head(access, "bucket", &owner).await,
        "ListBuckets" => {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 31);
            leftover_buckets::find(access, &owner, Duration::from_secs(3600), now).await.map(drop)
        }
        "DeleteBucket" => {
            let (name, region) = ("bucket".to_owned(), access.region.clone());
            let (age, tags) = (Duration::ZERO, Default::default());
            let bucket = leftover_buckets::Found { name, region, created: None, age, tags, left: None };
            leftover_buckets::delete(access, &bucket, &owner).await.map(drop)
        }
        _ => nothing(),
    }
}

/// The text of a denial must be as clear as that of an error.
fn looked<T>(reading: Result<Reading<T>>) -> Result<()> {
    match reading? {
        Reading::Unreadable { answer, .. } => assert_bearable(&Error::new(Kind::Aws, answer)),
        Reading::Present(_) | Reading::Absent => {}
    }
    Ok(())
}
