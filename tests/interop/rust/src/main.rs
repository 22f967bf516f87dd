//! Reads requests with the CloudEvents SDK for Rust; sdks.py describes the lines.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use base64::{engine::general_purpose::STANDARD, Engine};
use cloudevents::event::ExtensionValue;
use cloudevents::{AttributesReader, Data, Event};
use serde::Deserialize;
use serde_json::{json, Map, Value};

#[derive(Deserialize)]
struct Request {
    case: String,
    mode: String,
    headers: BTreeMap<String, String>,
    body_base64: String,
}

fn describe(event: &Event) -> Value {
    let mut attributes = Map::new();
    attributes.insert("specversion".into(), event.specversion().to_string().into());
    attributes.insert("id".into(), event.id().into());
    attributes.insert("source".into(), event.source().as_str().into());
    attributes.insert("type".into(), event.ty().into());
    if let Some(subject) = event.subject() {
        attributes.insert("subject".into(), subject.into());
    }
    if let Some(schema) = event.dataschema() {
        attributes.insert("dataschema".into(), schema.as_str().into());
    }
    if let Some(content_type) = event.datacontenttype() {
        attributes.insert("datacontenttype".into(), content_type.into());
    }
    if let Some(time) = event.time() {
        attributes.insert("time".into(), time.to_rfc3339().into());
    }
    for (name, value) in event.iter_extensions() {
        let value = match value {
            ExtensionValue::String(text) => json!(text),
            ExtensionValue::Boolean(flag) => json!(flag),
            ExtensionValue::Integer(number) => json!(number),
        };
        attributes.insert(name.into(), value);
    }
    let data = match event.data() {
        None => Value::Null,
        Some(Data::Binary(bytes)) => json!({"base64": STANDARD.encode(bytes)}),
        Some(Data::String(text)) => json!({"base64": STANDARD.encode(text)}),
        Some(Data::Json(value)) => json!({"value": value}),
    };
    json!({"attributes": attributes, "data": data})
}

fn read(request: &Request) -> Result<Vec<Event>, String> {
    let body = STANDARD.decode(&request.body_base64).map_err(|e| e.to_string())?;
    if request.mode == "batch" {
        return serde_json::from_slice(&body).map_err(|e| e.to_string());
    }
    let mut headers = http::HeaderMap::new();
    for (name, value) in &request.headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
        headers.insert(name, value.parse().map_err(|_| "not a header's value")?);
    }
    cloudevents::binding::http::to_event(&headers, body)
        .map(|event| vec![event])
        .map_err(|e| e.to_string())
}

fn main() {
    for line in io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line.unwrap()).unwrap();
        let mut answer = json!({"case": request.case, "mode": request.mode});
        match read(&request) {
            Ok(events) => answer["events"] = events.iter().map(describe).collect(),
            Err(error) => answer["error"] = error.into(),
        }
        println!("{answer}");
    }
}
