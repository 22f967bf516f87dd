//! The peer of `./dev bench cloudevents` for the SDK of CloudEvents for Rust; arguments and protocol
//! are those of bench/cloudevents/herald.c.
use std::io::{self, BufRead};
use std::time::Instant;

use chrono::SecondsFormat;
use cloudevents::binding::http::to_event;
use cloudevents::{AttributesReader, Data, Event};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    sku: String,
    quantity: i64,
}

#[derive(Deserialize)]
struct Order {
    order_id: String,
    total_cents: i64,
    lines: Vec<Line>,
}

fn read(path: &str) -> (HeaderMap, Vec<u8>) {
    let file = std::fs::read_to_string(path).unwrap();
    let (head, body) = file.split_once("\n\n").unwrap();
    let mut headers = HeaderMap::new();
    for line in head.lines() {
        let (name, value) = line.split_once(": ").unwrap();
        headers.insert(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    (headers, body.as_bytes().to_vec())
}

fn decode(structured: bool, headers: &HeaderMap, body: &[u8]) -> (Event, Order) {
    let mut event: Event = if structured {
        serde_json::from_slice(body).unwrap()
    } else {
        to_event(headers, body.to_vec()).unwrap()
    };
    let (_, _, data) = event.take_data();
    let order = match data.unwrap() {
        Data::Json(value) => serde_json::from_value(value).unwrap(),
        Data::Binary(bytes) => serde_json::from_slice(&bytes).unwrap(),
        Data::String(text) => serde_json::from_str(&text).unwrap(),
    };
    (event, order)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let structured = arguments[1] == "structured";
    let (headers, body) = read(&arguments[2]);
    let milliseconds: u128 = arguments[3].parse().unwrap();
    for line in io::stdin().lock().lines() {
        if line.unwrap() == "check" {
            let (event, order) = decode(structured, &headers, &body);
            let time = event.time().unwrap().to_rfc3339_opts(SecondsFormat::AutoSi, true);
            print!("{} {} {} {} {} {} {} {}", event.id(), event.source(), event.ty(),
                event.subject().unwrap(), time, event.extension("traceparent").unwrap(),
                order.order_id, order.total_cents);
            for line in &order.lines {
                print!(" {}:{}", line.sku, line.quantity);
            }
            println!();
            continue;
        }
        let begin = Instant::now();
        let mut count = 0u64;
        while begin.elapsed().as_millis() < milliseconds {
            for _ in 0..256 {
                std::hint::black_box(decode(structured, &headers, &body));
            }
            count += 256;
        }
        println!("{:.2}", begin.elapsed().as_nanos() as f64 / count as f64);
    }
}
