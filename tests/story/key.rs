//! Who may use the interface.

use reqwest::Method;

use super::desk::{Desk, Plan};

const KEY: &str = "a-key-that-nobody-guesses";

#[tokio::test]
async fn where_a_key_is_set_nothing_opens_without_it() {
    let desk = Desk::of(Plan { settings: vec![("GYMCALL_API_KEY", KEY)], ..Plan::default() }).await;
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    let campaign = "/v1/campaigns/camp_00000000000000000000000000";
    let job = "/v1/jobs/job_00000000000000000000000000";
    let of = |base: &str, rest: &[&str]| rest.iter().map(|path| format!("{base}{path}")).collect::<Vec<_>>();
    let mut routes = vec![
        (post.clone(), "/v1/calls".to_owned()),
        (get.clone(), "/v1/calls/job_00000000000000000000000000".to_owned()),
        (get.clone(), "/v1/campaigns".to_owned()),
        (post.clone(), "/v1/campaigns".to_owned()),
        (get.clone(), "/v1/suppressions".to_owned()),
        (post.clone(), "/v1/suppressions".to_owned()),
        (delete, "/v1/suppressions/+14155550101".to_owned()),
    ];
    routes.extend(of(campaign, &["", "/jobs", "/results", "/results.csv"]).into_iter().map(|path| (get.clone(), path)));
    routes.extend(
        of(campaign, &["/start", "/pause", "/resume", "/cancel", "/gyms"]).into_iter().map(|path| (post.clone(), path)),
    );
    routes.extend(of(job, &["", "/events"]).into_iter().map(|path| (get.clone(), path)));
    routes.extend(of(job, &["/cancel", "/redial", "/resolve"]).into_iter().map(|path| (post.clone(), path)));
    for (method, path) in routes {
        for client in [&desk.http, &desk.http.with_key("wrong"), &desk.http.with_key("")] {
            let reply = client.send(method.clone(), &path).await;
            reply.problem(401);
            assert_eq!(reply.header("www-authenticate"), "Bearer", "{method} {path}");
        }
        let reply = desk.http.with_key(KEY).send(method.clone(), &path).await;
        assert_ne!(reply.status, 401, "{method} {path}");
    }
    assert_eq!(desk.http.with_key(KEY).get("/v1/campaigns").await.status, 200);
    // Open for whoever watches over the process, and for Twilio, who signs instead.
    for path in ["/healthz", "/readyz"] {
        assert_eq!(desk.http.get(path).await.status, 200, "{path}");
    }
    desk.http.send(Method::POST, "/v1/twilio/status").await.problem(403);
}

#[tokio::test]
async fn without_a_key_a_web_page_of_somebody_else_can_do_nothing() {
    let desk = Desk::open().await;
    for site in ["cross-site", "same-site"] {
        let request = desk.http.request(Method::POST, "/v1/campaigns").header("sec-fetch-site", site).body("{}");
        super::http::reply(request).await.problem(403);
    }
    let request = desk.http.request(Method::GET, "/v1/campaigns").header("sec-fetch-site", "same-origin");
    assert_eq!(super::http::reply(request).await.status, 200);
}

#[tokio::test]
async fn without_a_key_only_this_desk_is_served_under_its_own_name() {
    let desk = Desk::open().await;
    let port = desk.http.base().rsplit_once(':').unwrap().1;
    let get = |host: String| desk.http.request(Method::GET, "/v1/campaigns").header("host", host);
    for host in ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"] {
        assert_eq!(super::http::reply(get(format!("{host}:{port}"))).await.status, 200, "{host}");
    }
    // A name that somebody made to point at this machine.
    for host in ["evil.example", "localhost.evil.example", "192.168.1.7", ""] {
        super::http::reply(get(format!("{host}:{port}"))).await.problem(403);
    }
    for origin in ["https://evil.example", "null", "http://192.168.1.7"] {
        let request = desk.http.request(Method::POST, "/v1/campaigns").header("origin", origin).body("{}");
        super::http::reply(request).await.problem(403);
    }
    let own = desk.http.request(Method::GET, "/v1/campaigns").header("origin", format!("http://localhost:{port}"));
    assert_eq!(super::http::reply(own).await.status, 200);
}
