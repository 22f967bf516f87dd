//! axum with serde: POST /event as the user of axum writes it, on one thread. SERVER PORT

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{routing::post, Json, Router};
use herald_bench::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

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

#[derive(Serialize)]
struct Answer {
    status: &'static str,
}

async fn on_event(Json(event): Json<Event<UserCreated>>) -> Response {
    if event.event_type != "user_created" {
        return StatusCode::NOT_FOUND.into_response();
    }
    std::hint::black_box((
        event.timestamp.seconds,
        &event.payload.user_id,
        &event.payload.username,
        &event.metadata,
    ));
    Json(Answer { status: "success" }).into_response()
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
        let app = Router::new().route("/event", post(on_event));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
            .await
            .unwrap();
        axum::serve(listener, app).await.unwrap();
    });
}
