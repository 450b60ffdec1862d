//! The document that describes the HTTP interface, and the page that shows it.
//!
//! Each handler describes what is its own: its input, and its reply when all is well. What holds for many is added to
//! all of them here: the key, `Idempotency-Key`, the path's parameters, and the problems that may come instead.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Content, HeaderBuilder, ObjectBuilder, OpenApi, PathItem, Ref, RefOr, Required, ResponseBuilder, Type,
};
use utoipa::{OpenApi as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::error::Body;

/// What is said of the interface as a whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "gymcall",
        description = "Phones a list of gyms through Twilio, asks your questions, and writes down the answers.\n\n\
            Errors are `application/problem+json`. Lists are `{items, next_cursor}`. Every write accepts \
            `Idempotency-Key`: sent again within 24 hours, it does nothing again and gets the same reply.",
        license(name = "MIT"),
    ),
    tags(
        (name = "calls", description = "One number, called now"),
        (name = "campaigns", description = "Many gyms, called by the campaign's rules"),
        (name = "jobs", description = "One gym in one run"),
        (name = "suppressions", description = "Numbers that may not be called"),
        (name = "events", description = "What happens, as it happens"),
        (name = "webhooks", description = "Where events are sent to"),
        (name = "server", description = "The server itself"),
        (name = "twilio", description = "What Twilio asks; each request is signed by it"),
    ),
    security(("key" = []))
)]
struct Frame;

/// The document as JSON.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());

/// Describes the interface, as OpenAPI 3.1.
#[utoipa::path(
    get, path = "/openapi.json", responses((status = 200, description = "This document", body = serde_json::Value))
)]
pub(super) async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// Shows the description of the interface to people.
#[utoipa::path(
    get, path = "/docs", responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(super) async fn docs() -> Html<&'static str> {
    Html(include_str!("openapi/docs.html"))
}

/// The description of every route.
fn document() -> OpenApi {
    let routes = OpenApiRouter::with_openapi(Frame::openapi());
    let mut document = routes.merge(super::users()).merge(super::twilio()).merge(super::open()).into_openapi();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete(path, method, operation);
        }
    }
    let components = document.components.get_or_insert_default();
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`GYMCALL_API_KEY`")).build();
    components.add_security_scheme("key", SecurityScheme::Http(key));
    let mut schemas = Vec::new();
    Body::schemas(&mut schemas);
    schemas.push((Body::name().into_owned(), <Body<'_> as utoipa::PartialSchema>::schema()));
    components.schemas.extend(schemas);
    for (status, description) in PROBLEMS {
        let content = Content::new(Some(Ref::from_schema_name(Body::name())));
        let response = ResponseBuilder::new().description(description).content("application/problem+json", content);
        components.responses.insert(name_of(status), response.build().into());
    }
    document
}

/// The problems that are the same everywhere.
const PROBLEMS: [(&str, &str); 9] = [
    ("400", "The request cannot be read"),
    ("401", "The key is missing or wrong"),
    ("403", "The request is not from where it may come from"),
    ("404", "There is no such thing"),
    ("409", "It does not fit where things stand; or a request with this Idempotency-Key is still being worked on"),
    ("413", "The body is too large"),
    ("422", "The input cannot be used; or this Idempotency-Key was used for another request"),
    ("429", "Too many requests: wait as long as Retry-After says"),
    ("503", "The server cannot do it now: try again"),
];

fn name_of(status: &str) -> String {
    format!("Problem{status}")
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let all = [("get", get), ("post", post), ("put", put), ("patch", patch), ("delete", delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds what a route need not say, because it follows from its method and its path.
fn complete(path: &str, method: &str, operation: &mut Operation) {
    let by_twilio = path.starts_with("/v1/twilio/");
    let needs_key = path == "/metrics" || (path.starts_with("/v1/") && !by_twilio);
    let writes = method != "get";
    operation.operation_id = Some(id_of(path, method));
    operation.tags = Some(vec![tag_of(path).to_owned()]);
    if !needs_key {
        operation.security = Some(Vec::new());
    }
    let own: Vec<(String, bool)> = operation.parameters.iter().flatten().filter_map(name_and_place).collect();
    let reads_query = own.iter().any(|(_, in_query)| *in_query);
    let named: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    let parameters = operation.parameters.get_or_insert_default();
    for name in &named {
        if !own.iter().any(|(known, _)| known == name) {
            parameters.push(in_path(path, name).into());
        }
    }
    let mut problems: Vec<&str> = Vec::new();
    if needs_key {
        problems.extend(["401", "403", "429", "503"]);
        problems.extend((writes || reads_query).then_some("422"));
        problems.extend(writes.then_some(["400", "409", "413"]).into_iter().flatten());
        problems.extend((!named.is_empty()).then_some("404"));
        if writes {
            parameters.push(idempotency_key().into());
            say_replayed(operation);
        }
    }
    if by_twilio {
        problems.extend(["403", "413", "503"]);
    }
    for status in problems {
        let known = &mut operation.responses.responses;
        known.entry(status.to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(name_of(status))));
    }
}

/// The name of a parameter that a handler describes, and whether it is in the query.
fn name_and_place(parameter: &RefOr<Parameter>) -> Option<(String, bool)> {
    match parameter {
        RefOr::T(parameter) => Some((parameter.name.clone(), parameter.parameter_in == ParameterIn::Query)),
        RefOr::Ref(_) => None,
    }
}

/// `POST /v1/campaigns/{id}/start` is `post_campaigns_id_start`.
fn id_of(path: &str, method: &str) -> String {
    let path = path.strip_prefix("/v1").unwrap_or(path);
    let words =
        path.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

fn tag_of(path: &str) -> &str {
    match path.strip_prefix("/v1/") {
        Some(path) => path.split(['/', '.']).next().unwrap_or(path),
        None => "server",
    }
}

fn in_path(path: &str, name: &str) -> Parameter {
    let of = tag_of(path);
    let description = match name {
        "id" => format!("The id, of {of}"),
        name => name.replace('_', " "),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn idempotency_key() -> Parameter {
    let key = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("A word of yours for this request: sent again with it, the request does nothing again"))
        .schema(Some(key))
        .build()
}

/// A reply that was given before says so.
fn say_replayed(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let header = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .description(Some("`true` if this is the reply to an earlier request with the same key"));
            response.headers.insert("Idempotency-Replayed".to_owned(), header.build().into());
        }
    }
}
