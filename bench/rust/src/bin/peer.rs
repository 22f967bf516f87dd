//! The peer of decode and encode for serde_json and sonic-rs. The protocol and the arguments are those of
//! bench/peers/peer.c: PEER serde_json|sonic_rs decode|encode TYPE FILE BATCH_MS

use herald_bench::events::*;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

trait Library {
    fn decode<'a, T: Deserialize<'a>>(data: &'a [u8]) -> T;
    fn encode<T: Serialize>(out: &mut Vec<u8>, value: &T);
}

struct SerdeJson;

impl Library for SerdeJson {
    fn decode<'a, T: Deserialize<'a>>(data: &'a [u8]) -> T {
        serde_json::from_slice(data).expect("serde_json")
    }

    fn encode<T: Serialize>(out: &mut Vec<u8>, value: &T) {
        serde_json::to_writer(out, value).expect("serde_json")
    }
}

struct SonicRs;

impl Library for SonicRs {
    fn decode<'a, T: Deserialize<'a>>(data: &'a [u8]) -> T {
        sonic_rs::from_slice(data).expect("sonic-rs")
    }

    fn encode<T: Serialize>(out: &mut Vec<u8>, value: &T) {
        sonic_rs::to_writer(out, value).expect("sonic-rs")
    }
}

struct Arguments {
    encode: bool,
    data: &'static [u8],
    batch: Duration,
}

fn measure(work: &mut dyn FnMut(usize), events: usize) -> Duration {
    let start = Instant::now();
    work(events);
    start.elapsed()
}

/// How many events take at least as long as a batch should, also when seen again: the first may have been
/// disturbed.
fn calibrate(work: &mut dyn FnMut(usize), batch: Duration) -> usize {
    let mut events = 1;
    loop {
        let mut took = measure(work, events);
        if took >= batch {
            took = measure(work, events);
        }
        if took >= batch {
            return events;
        }
        let factor = batch.as_nanos() / took.as_nanos().max(1) + 1;
        events *= factor.clamp(2, 64) as usize;
    }
}

/// Calls of malloc and its kind, counted by count_allocations.so when it is preloaded.
fn allocations_per_event(work: &mut dyn FnMut(usize)) -> f64 {
    extern "C" {
        fn dlsym(handle: *mut u8, name: *const u8) -> *mut u8;
    }
    let address = unsafe { dlsym(std::ptr::null_mut(), b"bench_allocations\0".as_ptr()) };
    assert!(!address.is_null(), "count_allocations.so is not preloaded");
    let count: extern "C" fn() -> u64 = unsafe { std::mem::transmute(address) };
    work(100);
    let before = count();
    work(1000);
    (count() - before) as f64 / 1000.0
}

fn serve(batch: Duration, work: &mut dyn FnMut(usize), check: &mut dyn FnMut() -> String) {
    let mut events = 0;
    for request in std::io::stdin().lock().lines() {
        match request.unwrap().as_str() {
            "run" => {
                if events == 0 {
                    events = calibrate(work, batch);
                }
                let took = measure(work, events);
                println!("{:.4}", took.as_nanos() as f64 / events as f64);
            }
            "check" => println!("{}\nend", check().trim_end()),
            "allocs" => println!("{:.3}", allocations_per_event(work)),
            request => panic!("not a request: {request}"),
        }
        std::io::stdout().flush().unwrap();
    }
}

fn run<L: Library, P: Deserialize<'static> + Serialize + Dump>(arguments: &Arguments) {
    let decode = || L::decode::<Event<'static, P>>(black_box(arguments.data));
    if !arguments.encode {
        let mut work = |events| {
            for _ in 0..events {
                black_box(decode());
            }
        };
        let mut check = || {
            let mut out = String::new();
            decode().dump(&mut out);
            out
        };
        return serve(arguments.batch, &mut work, &mut check);
    }
    let event = decode();
    let mut out = Vec::new();
    let mut work = |events| {
        for _ in 0..events {
            out.clear();
            L::encode(&mut out, black_box(&event));
            black_box(&out);
        }
    };
    let mut check = || {
        let mut out = Vec::new();
        L::encode(&mut out, &event);
        String::from_utf8(out).unwrap()
    };
    serve(arguments.batch, &mut work, &mut check);
}

fn run_type<L: Library>(name: &str, arguments: &Arguments) {
    match name {
        "user_created" => run::<L, UserCreated>(arguments),
        "order_placed" => run::<L, OrderPlaced>(arguments),
        "telemetry" => run::<L, Telemetry>(arguments),
        "article" => run::<L, Article>(arguments),
        "batch" => run::<L, Batch>(arguments),
        "mixed_orders" => run::<L, MixedOrders>(arguments),
        "catalog" => run::<L, Catalog>(arguments),
        "integers" => run::<L, Integers>(arguments),
        "doubles" => run::<L, Doubles>(arguments),
        "strings" => run::<L, Strings>(arguments),
        "pull_request_event" => run::<L, PullRequestEvent>(arguments),
        "mixture" => run::<L, Mixture>(arguments),
        _ => panic!("no type {name}"),
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let arguments = Arguments {
        encode: words[2] == "encode",
        data: std::fs::read(&words[4]).expect("the document").leak(),
        batch: Duration::from_millis(words[5].parse().expect("BATCH_MS")),
    };
    match words[1].as_str() {
        "serde_json" => run_type::<SerdeJson>(&words[3], &arguments),
        "sonic_rs" => run_type::<SonicRs>(&words[3], &arguments),
        library => panic!("no library {library}"),
    }
}
