//! Reports every request to AWS (`--verbose`): the operation, the status, the duration and the request ID. Of the request
//! it shows only the operation, because the rest may be secret.

use std::time::Instant;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use super::notify::Trace;
use crate::text::on_one_line;

/// Wraps a client so that `trace` gets a line for every request, the SDK's retries included.
pub(in crate::aws) fn traced(client: SharedHttpClient, trace: Trace) -> SharedHttpClient {
    http_client_fn(move |settings, components| {
        let connector = client.http_connector(settings, components);
        SharedHttpConnector::new(Traced { connector, trace: trace.clone() })
    })
}

#[derive(Debug)]
struct Traced {
    connector: SharedHttpConnector,
    trace: Trace,
}

impl HttpConnector for Traced {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (operation, start, Trace(tell)) = (operation(&request), Instant::now(), self.trace.clone());
        let answer = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let answer = with_code(answer.await).await;
            let took = start.elapsed().as_millis();
            match &answer {
                Ok((response, code)) => {
                    let status = response.status().as_u16();
                    let words = [Some(status.to_string()), code.clone(), Some(format!("{took} ms")), id(response)];
                    let line = format!("{operation} {}", words.into_iter().flatten().collect::<Vec<_>>().join(" "));
                    tell(&on_one_line(&line));
                }
                Err(_) => tell(&format!("{operation} no response {took} ms")),
            }
            answer.map(|(response, _)| response)
        })
    }
}

/// Returns the name of the operation: `sts:AssumeRole`; for services whose requests do not have it, method and path
/// without the query.
fn operation(request: &HttpRequest) -> String {
    let uri = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
    let (place, query) = uri.split_once('?').unwrap_or((uri, ""));
    let name = match service(request) {
        None => None,
        Some("s3") => s3_operation(request.method(), query).map(|name| ("s3", name)),
        Some(service) => action(request).map(|name| (service, name)),
    };
    match name {
        Some((service, name)) => format!("{service}:{name}"),
        None => format!("{} {place}", request.method()),
    }
}

/// Returns the service that the SDK calls, which it names in a header: `… api/sts#1.1.0 …`.
fn service(request: &HttpRequest) -> Option<&str> {
    let agent = request.headers().get("x-amz-user-agent").or_else(|| request.headers().get("user-agent"))?;
    let api = agent.split(' ').find_map(|word| word.strip_prefix("api/"))?;
    api.split(['#', '/']).next()
}

/// Returns the action of IAM and STS, with which the body begins.
fn action(request: &HttpRequest) -> Option<&str> {
    let body = std::str::from_utf8(request.body().bytes()?).ok()?;
    body.strip_prefix("Action=")?.split('&').next()
}

/// Returns the operation of S3; of those that xacct uses, method and query tell which.
fn s3_operation(method: &str, query: &str) -> Option<&'static str> {
    let has = |key: &str| query.split('&').any(|pair| pair.split('=').next() == Some(key));
    Some(match method {
        "HEAD" => "HeadBucket",
        "PUT" => "CreateBucket",
        "DELETE" => "DeleteBucket",
        "GET" if has("tagging") => "GetBucketTagging",
        "GET" if has("list-type") => "ListObjectsV2",
        "GET" => "ListBuckets",
        _ => return None,
    })
}

/// Returns the request ID, which AWS's support asks for.
pub(super) fn id(response: &HttpResponse) -> Option<String> {
    let names = ["x-amzn-requestid", "x-amz-request-id"];
    let id = names.into_iter().find_map(|name| response.headers().get(name))?;
    Some(id.to_owned())
}

/// Returns the response and, of an error, its code. Reads the body, which is small then, and puts it back.
async fn with_code(
    answer: Result<HttpResponse, ConnectorError>,
) -> Result<(HttpResponse, Option<String>), ConnectorError> {
    let mut response = answer?;
    if response.status().as_u16() < 300 {
        return Ok((response, None));
    }
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    let body = ByteStream::new(body).collect().await.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    let text = String::from_utf8_lossy(&body);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map(|(code, _)| code.to_owned());
    *response.body_mut() = SdkBody::from(body);
    Ok((response, code))
}
