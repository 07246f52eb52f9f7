//! From a request to its answer: latency, faults, holds, authentication, the services, the record.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;

use crate::caller::{Service, authenticate};
use crate::clock::{Clock, http_date, iso8601};
use crate::error::ApiError;
use crate::faults::{Fault, FaultKind, Faults};
use crate::holds::{Holds, Stage};
use crate::record::{Record, RecordedRequest};
use crate::request::{Parameters, Request};
use crate::sigv4::Authorization;
use crate::world::{History, Propagation, World};
use crate::xml::Xml;
use crate::{iam, random, s3, sts};

/// The server without its socket.
pub(crate) struct Backend {
    pub(crate) state: Mutex<State>,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) holds: Holds,
    pub(crate) record: Record,
    pub(crate) latency: Mutex<Duration>,
    pub(crate) started: Instant,
    /// Whether the server refuses connections and does not respond; see [`FaultKind::Gone`].
    pub(crate) gone: watch::Sender<bool>,
}

/// The state that only one request at a time may use.
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) history: History,
    pub(crate) propagation: Propagation,
}

/// An answer before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// Close the connection in the middle of the body.
    pub(crate) truncated: bool,
    error_code: Option<String>,
}

/// The result of a request.
pub(crate) enum Reply {
    Answer(Answer),
    /// Reset the connection.
    Reset,
    /// Send these bytes as they are, and close the connection.
    Raw(&'static [u8]),
}

/// A request with its operation.
struct Job<'a> {
    request: &'a Request,
    service: Service,
    operation: String,
    parameters: Parameters,
    target: s3::Target,
    request_id: String,
}

impl Backend {
    /// Answers a request from the connection with this number.
    pub(crate) async fn reply(&self, request: &Request, connection: u64) -> Reply {
        let job = Job::new(request);
        let sequence = self.record.open(job.entry(connection, self.started.elapsed()));
        self.holds.count(sequence, &job.operation);
        self.holds.pass(sequence, Stage::Arrived).await;
        let latency = *crate::lock::lock(&self.latency);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let fault = self.faults.next(&job.operation);
        let reply = match &fault {
            _ if *self.gone.borrow() => Reply::Reset,
            None => Reply::Answer(self.process(&job, sequence)),
            Some(fault) => self.faulty(fault, &job, sequence).await,
        };
        self.holds.pass(sequence, Stage::Processed).await;
        self.record.complete(sequence, |entry| {
            entry.end = Some(self.started.elapsed());
            if let Reply::Answer(answer) = &reply {
                entry.status = Some(answer.status);
                entry.error_code = answer.error_code.clone();
            }
        });
        self.holds.pass(sequence, Stage::Answered).await;
        reply
    }

    async fn faulty(&self, fault: &Fault, job: &Job<'_>, sequence: u64) -> Reply {
        let process = || self.process(job, sequence);
        let error = match &fault.kind {
            // These faults damage the real response, so the request takes effect in any case.
            FaultKind::Delay(delay) => {
                tokio::time::sleep(*delay).await;
                return Reply::Answer(process());
            }
            FaultKind::TruncatedBody => {
                return Reply::Answer(Answer { truncated: true, ..process() });
            }
            FaultKind::NotXml => return Reply::Answer(Answer::page(process().status)),
            FaultKind::LongAnswer => {
                return Reply::Answer(Answer { body: b"<a/>".repeat(5 * 1024 * 1024).into(), ..process() });
            }
            FaultKind::LongArn(more) => {
                return Reply::Answer(
                    process().rewritten(|body| body.replacen("</Arn>", &format!("{}</Arn>", "a".repeat(*more)), 1)),
                );
            }
            FaultKind::OtherRole => {
                return Reply::Answer(process().rewritten(|body| body.replace(":assumed-role/", ":assumed-role/not-")));
            }
            FaultKind::Brief(life) => {
                let answer = process();
                let expires = self.clock.now() + *life;
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                let sessions = &mut crate::lock::lock(&self.state).world.sessions;
                if let Some(session) = sessions.values_mut().find(|session| body.contains(&session.key.id)) {
                    let asked = std::mem::replace(&mut session.expires, expires);
                    return Reply::Answer(answer.rewritten(|body| body.replace(&iso8601(asked), &iso8601(expires))));
                }
                return Reply::Answer(answer);
            }
            FaultKind::BrokenKey => {
                let broken = |body: &str| body.replace("</AccessKeyId>", "&#10;</AccessKeyId>");
                return Reply::Answer(process().rewritten(broken));
            }
            FaultKind::EndlessPages => {
                return Reply::Answer(process().rewritten(|body| job.with_another_page(body)));
            }
            FaultKind::Gone => {
                self.gone.send_replace(true);
                return Reply::Reset;
            }
            FaultKind::Page(_)
            | FaultKind::Reset
            | FaultKind::Close
            | FaultKind::CutHead
            | FaultKind::Garbled
            | FaultKind::Hang => None,
            FaultKind::ErrorIn200 => {
                Some(ApiError::new(200, "InternalError", "We encountered an internal error. Please try again."))
            }
            FaultKind::Skew(_) => Some(skewed(job.service)),
            FaultKind::Throttle => Some(match job.service {
                Service::S3 => ApiError::new(503, "SlowDown", "Please reduce your request rate."),
                _ => ApiError::new(400, "Throttling", "Rate exceeded"),
            }),
            FaultKind::ServerError(status) => Some(server_error(*status, job.service)),
            FaultKind::Error { status, code, message } => Some(ApiError::new(*status, code, message)),
        };
        if fault.processed {
            process();
        }
        let answer = error.map(|error| job.error_answer(&error, self));
        match (answer, &fault.kind) {
            (Some(mut answer), FaultKind::Skew(seconds)) => {
                let date = http_date(self.clock.wall() + time::Duration::seconds(*seconds));
                answer.headers.retain(|(name, _)| *name != "date");
                answer.headers.push(("date", date));
                Reply::Answer(answer)
            }
            (Some(answer), _) => Reply::Answer(answer),
            (None, FaultKind::Page(status)) => Reply::Answer(Answer::page(*status)),
            (None, FaultKind::Reset) => Reply::Reset,
            (None, FaultKind::Close) => Reply::Raw(b""),
            (None, FaultKind::CutHead) => Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
            (None, FaultKind::Garbled) => Reply::Raw(b"\0\x15\x03 is no HTTP\r\n\r\n"),
            (None, _) => std::future::pending().await,
        }
    }

    /// Carries out the request. Holds the lock only here, never while the task sleeps.
    fn process(&self, job: &Job<'_>, sequence: u64) -> Answer {
        let mut state = crate::lock::lock(&self.state);
        let outcome = self.dispatch(&mut state, job, sequence);
        drop(state);
        match outcome {
            Ok(mut answer) => {
                job.add_headers(&mut answer, self);
                answer
            }
            Err(error) => job.error_answer(&error, self),
        }
    }

    fn dispatch(&self, state: &mut State, job: &Job<'_>, sequence: u64) -> Result<Answer, ApiError> {
        let State { world, history, propagation } = state;
        let caller = &authenticate(job.request, job.service, world, &self.clock)?;
        self.record.complete(sequence, |entry| {
            entry.principal = Some(caller.arn.clone());
            entry.account = Some(caller.account.clone());
        });
        let now = self.clock.now();
        let before = Arc::clone(&world.accounts);
        let honoured = history.honoured(&world.accounts, now, *propagation);
        let parameters = &job.parameters;
        let outcome = match job.service {
            Service::Iam => {
                let readable = if propagation.stale_reads { &honoured } else { &world.accounts };
                let readable = Arc::clone(readable);
                let Propagation { unique_ids, late_uses, .. } = *propagation;
                let call = iam::Call { parameters, caller, world, honoured, readable, now, unique_ids, late_uses };
                iam::handle(&job.operation, call).map(|result| job.query_answer(iam::NAMESPACE, result))
            }
            Service::Sts => {
                let call = sts::Call { parameters, caller, world, honoured, now };
                sts::handle(&job.operation, call).map(|result| job.query_answer(sts::NAMESPACE, Some(result)))
            }
            Service::S3 => {
                let call = s3::Call { request: job.request, target: &job.target, caller, world, honoured, now };
                s3::handle(call).map(|answer| Answer {
                    status: answer.status,
                    headers: answer.headers,
                    body: answer.body,
                    truncated: false,
                    error_code: None,
                })
            }
        };
        if !Arc::ptr_eq(&before, &world.accounts) {
            history.replaced(before, now, *propagation);
        }
        outcome
    }
}

impl Answer {
    fn rewritten(self, rewrite: impl FnOnce(&str) -> String) -> Self {
        let body = rewrite(&String::from_utf8_lossy(&self.body)).into();
        Self { body, ..self }
    }

    /// A response that does not come from AWS.
    fn page(status: u16) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/html".to_owned())],
            body: Bytes::from_static(b"<html><head><title>Proxy</title></head><body><p>Not what you asked for"),
            truncated: false,
            error_code: None,
        }
    }
}

/// Returns the error for a signature whose time differs too much from the server's.
fn skewed(service: Service) -> ApiError {
    match service {
        Service::S3 => ApiError::new(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        _ => ApiError::new(403, "SignatureDoesNotMatch", "Signature expired: the request is older than 5 min."),
    }
}

fn server_error(status: u16, service: Service) -> ApiError {
    let (code, message) = match (status, service) {
        (503, _) => ("ServiceUnavailable", "Service is unable to handle request."),
        (500, Service::Iam) => {
            ("ServiceFailure", "The request processing has failed because of an unknown error, exception or failure.")
        }
        (500, Service::Sts) => {
            ("InternalFailure", "The request processing has failed because of an unknown error, exception or failure.")
        }
        _ => ("InternalError", "We encountered an internal error. Please try again."),
    };
    ApiError::new(status, code, message)
}

impl<'a> Job<'a> {
    fn new(request: &'a Request) -> Self {
        let parameters = Parameters::read(request);
        let scope = request
            .header("authorization")
            .and_then(|header| Authorization::parse(header).ok())
            .map(|authorization| authorization.service);
        let service = match (scope.as_deref(), parameters.get("Version"), parameters.get("Action")) {
            (Some("iam"), ..) => Service::Iam,
            (Some("sts"), ..) => Service::Sts,
            (Some("s3"), ..) => Service::S3,
            (_, Some(iam::VERSION), _) => Service::Iam,
            (_, Some(sts::VERSION), _) | (_, _, Some(_)) => Service::Sts,
            _ => Service::S3,
        };
        let target = s3::Target::of(request);
        let operation = match service {
            Service::S3 => target.operation,
            _ => parameters.get("Action").unwrap_or("Unknown"),
        };
        Job { request, service, operation: operation.to_owned(), target, request_id: random::request_id(), parameters }
    }

    /// Says in a page that there is another one, which is the same; its token is another each time.
    fn with_another_page(&self, body: &str) -> String {
        let marker = self.parameters.get("Marker").unwrap_or("after-");
        let more = format!("<IsTruncated>true</IsTruncated><Marker>{marker}0</Marker>");
        // It sorts before the name of any bucket.
        let token = self.parameters.get("continuation-token").unwrap_or_default();
        let token = format!("<ContinuationToken>{token}-</ContinuationToken></ListAll");
        body.replace("<IsTruncated>false</IsTruncated>", &more).replace("</ListAll", &token)
    }

    fn entry(&self, connection: u64, start: Duration) -> RecordedRequest {
        let authorization = self.request.header("authorization");
        let authorization = authorization.and_then(|header| Authorization::parse(header).ok());
        let (access_key, region) =
            authorization.map(|authorization| (authorization.access_key, authorization.region)).unzip();
        let parameters = match self.service {
            Service::S3 => {
                let mut parameters = self.request.query_parameters();
                parameters.push(("Bucket".to_owned(), self.target.bucket.clone()));
                parameters.push(("Key".to_owned(), self.target.key.clone()));
                if let Some(owner) = self.request.header("x-amz-expected-bucket-owner") {
                    parameters.push(("ExpectedBucketOwner".to_owned(), owner.to_owned()));
                }
                parameters.retain(|(_, value)| !value.is_empty());
                parameters
            }
            _ => self.parameters.without_secrets(),
        };
        RecordedRequest {
            sequence: 0,
            connection,
            service: self.service.name().to_owned(),
            operation: self.operation.clone(),
            region,
            access_key,
            principal: None,
            account: None,
            start,
            end: None,
            status: None,
            error_code: None,
            parameters,
            user_agent: self.request.header("user-agent").map(str::to_owned),
        }
    }

    fn query_answer(&self, namespace: &str, result: Option<Xml>) -> Answer {
        let operation = &self.operation;
        let content = Xml::build(|xml| {
            if let Some(result) = &result {
                xml.element(&format!("{operation}Result"), |xml| xml.append(result));
            }
            xml.element("ResponseMetadata", |xml| xml.text("RequestId", &self.request_id));
        });
        Answer {
            status: 200,
            headers: vec![("content-type", "text/xml".to_owned())],
            body: Xml::document(&format!("{operation}Response"), namespace, &content).into(),
            truncated: false,
            error_code: None,
        }
    }

    fn error_answer(&self, error: &ApiError, backend: &Backend) -> Answer {
        let (content_type, document) = match self.service {
            Service::Iam => ("text/xml", error.query_document(iam::NAMESPACE, &self.request_id)),
            Service::Sts => ("text/xml", error.query_document(sts::NAMESPACE, &self.request_id)),
            Service::S3 => ("application/xml", error.s3_document(&self.request_id)),
        };
        let mut headers = error.headers.clone();
        headers.push(("content-type", content_type.to_owned()));
        let mut answer = Answer {
            status: error.status,
            headers,
            // A response to HEAD has no body for the error.
            body: if self.request.method == "HEAD" { Bytes::new() } else { document.into() },
            truncated: false,
            error_code: Some(error.code.clone()),
        };
        self.add_headers(&mut answer, backend);
        answer
    }

    fn add_headers(&self, answer: &mut Answer, backend: &Backend) {
        let id = self.request_id.clone();
        match self.service {
            Service::S3 => {
                answer.headers.push(("x-amz-request-id", id));
                answer.headers.push(("x-amz-id-2", "sandbox".to_owned()));
            }
            _ => answer.headers.push(("x-amzn-requestid", id)),
        }
        // Clients use it to detect that their clock, or here the server's, is wrong.
        answer.headers.push(("date", http_date(backend.clock.wall())));
    }
}
