//! hyper with serde and no framework, on one thread: POST /event is decoded from its body. HYPER PORT

use herald_bench::time::Time;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderValue, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::collections::HashMap;
use std::convert::Infallible;

#[derive(Deserialize)]
struct UserCreated {
    user_id: String,
    username: String,
}

#[derive(Deserialize)]
struct Event<P> {
    event_type: String,
    timestamp: Time,
    payload: P,
    metadata: HashMap<String, String>,
}

fn answer(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

async fn on_request(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() != Method::POST || request.uri().path() != "/event" {
        return Ok(answer(StatusCode::NOT_FOUND, "{}"));
    }
    let Ok(body) = request.into_body().collect().await else {
        return Ok(answer(StatusCode::BAD_REQUEST, "{}"));
    };
    let event = match serde_json::from_slice::<Event<UserCreated>>(&body.to_bytes()) {
        Ok(event) if event.event_type == "user_created" => event,
        _ => return Ok(answer(StatusCode::BAD_REQUEST, "{}")),
    };
    std::hint::black_box((
        event.timestamp.seconds,
        &event.payload.user_id,
        &event.payload.username,
        &event.metadata,
    ));
    Ok(answer(StatusCode::OK, r#"{"status":"success"}"#))
}

fn main() {
    let port: u16 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .expect("a port");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
            .await
            .unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                // An error is that of a client which went away.
                let _ = hyper::server::conn::http1::Builder::new()
                    .pipeline_flush(true)
                    .serve_connection(TokioIo::new(stream), service_fn(on_request))
                    .await;
            });
        }
    });
}
