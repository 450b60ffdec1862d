//! The commands' way to the server: its HTTP interface.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use url::Url;

use super::CliError;
use crate::config::is_loopback;

/// Speaks to one server.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    key: Option<String>,
}

impl Client {
    pub(super) fn new(url: &str, key: Option<&str>) -> Result<Self, CliError> {
        // Only one provider can win; whichever did is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder().connect_timeout(Duration::from_secs(5));
        let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let parsed = parsed.ok_or_else(|| {
            CliError::Other(format!("GYMCALL_URL={url:?} is no server's address: write it as http://127.0.0.1:8000"))
        })?;
        if key.is_some_and(|key| HeaderValue::from_str(key).is_err()) {
            return Err(CliError::Other(
                "GYMCALL_API_KEY has a line break or another character that no key has".into(),
            ));
        }
        if is_loopback(&parsed) {
            // No proxy that the environment names can reach a server on this machine.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| CliError::Other(error.to_string()))?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), key: key.map(str::to_owned) })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, CliError> {
        let response = self.send(self.request(Method::GET, path)).await?;
        self.json(response).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let response = self.send(self.request(Method::POST, path).json(body)).await?;
        self.json(response).await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let response = self.send(self.request(Method::PATCH, path).json(body)).await?;
        self.json(response).await
    }

    /// Deletes something. The reply has nothing to say.
    pub(super) async fn delete(&self, path: &str) -> Result<(), CliError> {
        self.send(self.request(Method::DELETE, path)).await.map(drop)
    }

    pub(super) async fn upload(&self, path: &str, csv: reqwest::Body) -> Result<Value, CliError> {
        let request = self.request(Method::POST, path).header("content-type", "text/csv").body(csv);
        let response = self.send(request).await?;
        self.json(response).await
    }

    /// A reply that is not JSON, to be read piece by piece.
    pub(super) async fn download(&self, path: &str) -> Result<reqwest::Response, CliError> {
        self.send(self.request(Method::GET, path)).await
    }

    /// All items of a list, page after page.
    pub(super) async fn all(&self, path: &str) -> Result<Vec<Value>, CliError> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut page = self.page(path, cursor.as_deref()).await?;
            if let Value::Array(page) = page["items"].take() {
                items.extend(page);
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    /// Part of a list, as long as there may be one.
    pub(super) async fn page(&self, path: &str, cursor: Option<&str>) -> Result<Value, CliError> {
        let sep = if path.contains('?') { '&' } else { '?' };
        let at = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        self.get(&format!("{path}{sep}limit=1000{at}")).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, CliError> {
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let problem = match self.json(response).await {
            // It was refused, also where the reason was cut off.
            Err(CliError::Unreachable { .. }) => Value::Null,
            problem => problem?,
        };
        if !problem.is_null() && !problem["detail"].is_string() {
            return Err(CliError::Foreign { url: self.url.clone(), status });
        }
        let said = sentence(status, &problem);
        Err(CliError::Refused(match self.advice(status, &said) {
            Some(advice) => format!("{said}. {advice}"),
            None => said,
        }))
    }

    /// What to do about a refusal whose words do not say it to somebody at a command line.
    fn advice(&self, status: StatusCode, said: &str) -> Option<&'static str> {
        match (status, &self.key) {
            (StatusCode::UNAUTHORIZED, None) => {
                Some("The server was started with a GYMCALL_API_KEY: set the same here")
            }
            (StatusCode::UNAUTHORIZED, Some(_)) => {
                Some("GYMCALL_API_KEY is not the one that the server was started with")
            }
            (StatusCode::NOT_FOUND, _) if said.ends_with("such campaign") => {
                Some("`gymcall campaign list` shows which there are")
            }
            (StatusCode::NOT_FOUND, _) if said.ends_with("such job") => {
                Some("`gymcall results CAMPAIGN` shows which there are")
            }
            (StatusCode::NOT_FOUND, _) if said.ends_with("such webhook") => {
                Some("`gymcall webhook list` shows which there are")
            }
            _ => None,
        }
    }

    /// The body. All of gymcall's replies that are read here are JSON, its refusals too.
    async fn json(&self, response: reqwest::Response) -> Result<Value, CliError> {
        let status = response.status();
        let body = response.bytes().await.map_err(|error| self.broken(&error))?;
        serde_json::from_slice(&body).map_err(|_| CliError::Foreign { url: self.url.clone(), status })
    }

    fn broken(&self, error: &reqwest::Error) -> CliError {
        let mut why = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            why = inner.to_string();
            source = inner.source();
        }
        CliError::Unreachable { url: self.url.clone(), why }
    }
}

/// A refusal in words: its number, and each thing that is wrong with its place.
fn sentence(status: StatusCode, problem: &Value) -> String {
    let detail = problem["detail"].as_str().unwrap_or("no detail given");
    let errors = problem["errors"].as_array().into_iter().flatten();
    let told = |error: &Value| match (error["pointer"].as_str()?, error["detail"].as_str()?) {
        ("", _) => None,
        (place, detail) => Some(format!(" ({place}): {detail}")),
    };
    let places: Vec<String> = errors.filter_map(told).collect();
    match places.as_slice() {
        [] => format!("{}: {detail}", status.as_u16()),
        [one] => format!("{}{one}", status.as_u16()),
        many => format!("{}: {detail}\n {}", status.as_u16(), many.join("\n ")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// What the client makes of one answer.
    async fn answered(answer: &'static str) -> Result<Value, CliError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let peer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let reply = Client::new(&url, None).unwrap().get("/v1/campaigns").await;
        peer.join().unwrap();
        reply
    }

    #[test]
    fn a_refusal_names_each_place_that_is_wrong() {
        let refused = |errors| {
            sentence(StatusCode::UNPROCESSABLE_ENTITY, &serde_json::json!({"detail": "wrong", "errors": errors}))
        };
        let error = |place: &str| serde_json::json!({"pointer": place, "code": "range", "detail": "too large"});
        assert_eq!(refused(vec![error("/a")]), "422 (/a): too large");
        assert_eq!(refused(vec![error("/a"), error("/b")]), "422: wrong\n  (/a): too large\n  (/b): too large");
        assert_eq!(refused(vec![error("")]), "422: wrong");
    }

    #[tokio::test]
    async fn an_answer_that_is_not_gymcalls_is_told_from_none() {
        let page = answered("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>").await.unwrap_err();
        assert!(page.to_string().contains("did not answer as gymcall does (200 OK): is GYMCALL_URL right?"), "{page}");
        let page = answered("HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno page").await.unwrap_err();
        assert!(matches!(page, CliError::Foreign { status: StatusCode::NOT_FOUND, .. }), "{page}");
        let broken = answered("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{").await.unwrap_err();
        assert!(matches!(broken, CliError::Unreachable { .. }), "{broken}");
        let refused = "HTTP/1.1 409 Conflict\r\nContent-Length: 15\r\n\r\n{\"detail\":\"no\"}";
        assert_eq!(answered(refused).await.unwrap_err().to_string(), "409: no");
        let twilios = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 14\r\n\r\n{\"code\":20003}";
        assert!(matches!(answered(twilios).await.unwrap_err(), CliError::Foreign { .. }));
        let url = Client::new("127.0.0.1:8000", None).unwrap_err().to_string();
        assert!(url.starts_with("GYMCALL_URL=") && url.contains("write it as http://"), "{url}");
    }
}
