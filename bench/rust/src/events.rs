//! The events as Rust structs, strings borrowed from the document where they need no unescaping; and
//! their dump. bench/documents.py has the same types in the same order.

use crate::time::Time;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A string; serde borrows a Cow only when told so, and within lists and maps only in a struct.
#[derive(Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Write all values, one a line, as bench/documents.py does.
pub trait Dump {
    fn dump(&self, out: &mut String);
}

/// A struct and its dump, member by member.
macro_rules! event_struct {
    ($name:ident { $($member:ident: $type:ty),* $(,)? }) => {
        #[derive(Deserialize, Serialize)]
        pub struct $name<'a> {
            $(#[serde(borrow)] pub $member: $type),*
        }
        event_struct!(dump $name<'a> { $($member),* });
    };
    (plain $name:ident { $($member:ident: $type:ty),* $(,)? }) => {
        #[derive(Deserialize, Serialize)]
        pub struct $name {
            $(pub $member: $type),*
        }
        event_struct!(dump $name { $($member),* });
    };
    (dump $name:ident $(<$lifetime:lifetime>)? { $($member:ident),* }) => {
        impl $(<$lifetime>)? Dump for $name $(<$lifetime>)? {
            fn dump(&self, out: &mut String) {
                $(self.$member.dump(out);)*
            }
        }
    };
}

event_struct!(UserCreated { user_id: Text<'a>, username: Text<'a> });

#[derive(Deserialize, Serialize)]
pub struct Customer<'a> {
    pub id: i64,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub email: Text<'a>,
}
event_struct!(dump Customer<'a> { id, name, email });

event_struct!(Address {
    street: Text<'a>,
    city: Text<'a>,
    postcode: Text<'a>,
    country: Text<'a>,
});

#[derive(Deserialize, Serialize)]
pub struct OrderLine<'a> {
    #[serde(borrow)]
    pub sku: Text<'a>,
    #[serde(borrow)]
    pub title: Text<'a>,
    pub quantity: i32,
    pub unit_cents: i64,
    pub gift: bool,
}
event_struct!(dump OrderLine<'a> { sku, title, quantity, unit_cents, gift });

#[derive(Deserialize, Serialize)]
pub struct OrderPlaced<'a> {
    #[serde(borrow)]
    pub order_id: Text<'a>,
    pub placed_at: Time,
    #[serde(borrow)]
    pub currency: Text<'a>,
    pub total_cents: i64,
    pub paid: bool,
    #[serde(borrow)]
    pub customer: Customer<'a>,
    #[serde(borrow)]
    pub ship_to: Address<'a>,
    #[serde(borrow)]
    pub lines: Vec<OrderLine<'a>>,
    #[serde(borrow)]
    pub note: Text<'a>,
}
event_struct!(dump OrderPlaced<'a> {
    order_id, placed_at, currency, total_cents, paid, customer, ship_to, lines, note
});

event_struct!(plain Position { latitude: f64, longitude: f64, altitude: f64 });

#[derive(Deserialize, Serialize)]
pub struct Telemetry<'a> {
    #[serde(borrow)]
    pub device: Text<'a>,
    pub sequence: u64,
    pub uptime_ms: i64,
    pub battery: f64,
    pub position: Position,
    pub readings: Vec<f64>,
    pub counters: Vec<i64>,
}
event_struct!(dump Telemetry<'a> {
    device, sequence, uptime_ms, battery, position, readings, counters
});

event_struct!(Comment { author: Text<'a>, text: Text<'a> });

event_struct!(Article {
    article_id: Text<'a>,
    title: Text<'a>,
    author: Text<'a>,
    body: Text<'a>,
    tags: Vec<Text<'a>>,
    comments: Vec<Comment<'a>>,
});

#[derive(Deserialize, Serialize)]
pub struct Item<'a> {
    pub id: i64,
    #[serde(borrow)]
    pub sku: Text<'a>,
    pub quantity: i32,
    pub price: f64,
    pub weight: f64,
    pub active: bool,
}
event_struct!(dump Item<'a> { id, sku, quantity, price, weight, active });

event_struct!(Batch { batch_id: Text<'a>, items: Vec<Item<'a>> });

#[derive(Deserialize, Serialize)]
pub struct Goods<'a> {
    #[serde(borrow)]
    pub order_id: Text<'a>,
    pub total_cents: i64,
    #[serde(borrow)]
    pub sku: Text<'a>,
    pub quantity: i32,
    pub gift: bool,
    #[serde(borrow)]
    pub city: Text<'a>,
    #[serde(borrow)]
    pub country: Text<'a>,
}
event_struct!(dump Goods<'a> { order_id, total_cents, sku, quantity, gift, city, country });

#[derive(Deserialize, Serialize)]
pub struct Download<'a> {
    #[serde(borrow)]
    pub order_id: Text<'a>,
    pub total_cents: i64,
    #[serde(borrow)]
    pub title: Text<'a>,
    pub licences: i32,
    #[serde(borrow)]
    pub url: Text<'a>,
}
event_struct!(dump Download<'a> { order_id, total_cents, title, licences, url });

#[derive(Deserialize, Serialize)]
pub struct Subscription<'a> {
    #[serde(borrow)]
    pub order_id: Text<'a>,
    pub total_cents: i64,
    #[serde(borrow)]
    pub plan: Text<'a>,
    pub starts_at: Time,
    pub months: i32,
    pub renews: bool,
}
event_struct!(dump Subscription<'a> { order_id, total_cents, plan, starts_at, months, renews });

#[derive(Deserialize, Serialize)]
pub struct Refund<'a> {
    #[serde(borrow)]
    pub order_id: Text<'a>,
    pub total_cents: i64,
    pub share: f64,
    #[serde(borrow)]
    pub reason: Text<'a>,
}
event_struct!(dump Refund<'a> { order_id, total_cents, share, reason });

/// Tag and content: serde decodes the content at once when the tag comes first, which an internal tag
/// would make it collect in a buffer.
#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", content = "order", rename_all = "snake_case")]
pub enum AnyOrder<'a> {
    #[serde(borrow)]
    Goods(Goods<'a>),
    #[serde(borrow)]
    Download(Download<'a>),
    #[serde(borrow)]
    Subscription(Subscription<'a>),
    #[serde(borrow)]
    Refund(Refund<'a>),
}

impl Dump for AnyOrder<'_> {
    fn dump(&self, out: &mut String) {
        let (kind, order): (&str, &dyn Dump) = match self {
            AnyOrder::Goods(order) => ("goods", order),
            AnyOrder::Download(order) => ("download", order),
            AnyOrder::Subscription(order) => ("subscription", order),
            AnyOrder::Refund(order) => ("refund", order),
        };
        Text(kind.into()).dump(out);
        order.dump(out);
    }
}

event_struct!(MixedOrders { list_id: Text<'a>, orders: Vec<AnyOrder<'a>> });

/// A map in the order of the document, not searched for duplicate names: cheaper than serde's own maps,
/// which are sorted or hashed.
pub struct Entries<'a, T>(pub Vec<(Text<'a>, T)>);

struct EntriesVisitor<'a, T>(PhantomData<(&'a (), T)>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<'a, T> {
    type Value = Entries<'a, T>;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a map")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Entries<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

impl<T: Serialize> Serialize for Entries<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<T: Dump> Dump for Entries<'_, T> {
    fn dump(&self, out: &mut String) {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        *out += &format!("n{}\n", sorted.len());
        for (name, value) in sorted {
            name.dump(out);
            value.dump(out);
        }
    }
}

#[derive(Deserialize, Serialize)]
pub struct ArticleEntry<'a> {
    #[serde(borrow)]
    pub title: Text<'a>,
    pub unit_cents: i64,
    pub weight: f64,
    pub active: bool,
}
event_struct!(dump ArticleEntry<'a> { title, unit_cents, weight, active });

event_struct!(Catalog {
    catalog_id: Text<'a>,
    articles: Entries<'a, ArticleEntry<'a>>,
    stock: Entries<'a, i64>,
    rates: Entries<'a, f64>,
});

#[derive(Deserialize, Serialize)]
pub struct Integers<'a> {
    #[serde(borrow)]
    pub series_id: Text<'a>,
    pub values: Vec<i64>,
}
event_struct!(dump Integers<'a> { series_id, values });

#[derive(Deserialize, Serialize)]
pub struct Doubles<'a> {
    #[serde(borrow)]
    pub series_id: Text<'a>,
    pub values: Vec<f64>,
}
event_struct!(dump Doubles<'a> { series_id, values });

event_struct!(Strings { list_id: Text<'a>, texts: Vec<Text<'a>> });

#[derive(Deserialize, Serialize)]
pub struct Account<'a> {
    #[serde(borrow)]
    pub login: Text<'a>,
    pub id: i64,
}
event_struct!(dump Account<'a> { login, id });

event_struct!(Branch { r#ref: Text<'a>, sha: Text<'a> });

#[derive(Deserialize, Serialize)]
pub struct PullRequest<'a> {
    pub id: i64,
    #[serde(borrow)]
    pub title: Text<'a>,
    #[serde(borrow)]
    pub body: Text<'a>,
    pub draft: bool,
    pub created_at: Time,
    #[serde(borrow)]
    pub user: Account<'a>,
    #[serde(borrow)]
    pub head: Branch<'a>,
    #[serde(borrow)]
    pub base: Branch<'a>,
    pub additions: i64,
    pub deletions: i64,
}
event_struct!(dump PullRequest<'a> { id, title, body, draft, created_at, user, head, base, additions, deletions });

#[derive(Deserialize, Serialize)]
pub struct Repository<'a> {
    pub id: i64,
    #[serde(borrow)]
    pub full_name: Text<'a>,
    pub private: bool,
}
event_struct!(dump Repository<'a> { id, full_name, private });

#[derive(Deserialize, Serialize)]
pub struct PullRequestEvent<'a> {
    #[serde(borrow)]
    pub action: Text<'a>,
    pub number: i64,
    #[serde(borrow)]
    pub pull_request: PullRequest<'a>,
    #[serde(borrow)]
    pub repository: Repository<'a>,
    #[serde(borrow)]
    pub sender: Account<'a>,
}
event_struct!(dump PullRequestEvent<'a> { action, number, pull_request, repository, sender });

#[derive(Deserialize, Serialize)]
pub struct Record<'a> {
    pub id: i64,
    #[serde(borrow)]
    pub name: Text<'a>,
    pub score: f64,
    pub active: bool,
}
event_struct!(dump Record<'a> { id, name, score, active });

#[derive(Deserialize, Serialize)]
pub struct Mixture<'a> {
    pub integers: Vec<i64>,
    pub doubles: Vec<f64>,
    #[serde(borrow)]
    pub strings: Vec<Text<'a>>,
    #[serde(borrow)]
    pub records: Vec<Record<'a>>,
}
event_struct!(dump Mixture<'a> { integers, doubles, strings, records });

#[derive(Deserialize, Serialize)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
pub struct Event<'a, P> {
    #[serde(borrow)]
    pub event_type: Text<'a>,
    pub timestamp: Time,
    pub payload: P,
    #[serde(borrow)]
    pub metadata: BTreeMap<Text<'a>, Text<'a>>,
}

impl<P: Dump> Dump for Event<'_, P> {
    fn dump(&self, out: &mut String) {
        self.event_type.dump(out);
        self.timestamp.dump(out);
        self.payload.dump(out);
        *out += &format!("n{}\n", self.metadata.len());
        for (key, value) in &self.metadata {
            key.dump(out);
            value.dump(out);
        }
    }
}

impl Dump for Text<'_> {
    fn dump(&self, out: &mut String) {
        let hex: String = self.0.bytes().map(|byte| format!("{byte:02x}")).collect();
        *out += &format!("s{hex}\n");
    }
}

impl Dump for Time {
    fn dump(&self, out: &mut String) {
        *out += &format!(
            "t{} {} {}\n",
            self.seconds, self.nanoseconds, self.offset_minutes
        );
    }
}

impl Dump for bool {
    fn dump(&self, out: &mut String) {
        *out += &format!("b{}\n", u8::from(*self));
    }
}

impl Dump for f64 {
    fn dump(&self, out: &mut String) {
        *out += &format!("d{:016x}\n", self.to_bits());
    }
}

macro_rules! dump_integer {
    ($($type:ty)*) => {
        $(impl Dump for $type {
            fn dump(&self, out: &mut String) {
                *out += &format!("i{self}\n");
            }
        })*
    };
}
dump_integer!(i32 i64 u64);

impl<T: Dump> Dump for Vec<T> {
    fn dump(&self, out: &mut String) {
        *out += &format!("n{}\n", self.len());
        for element in self {
            element.dump(out);
        }
    }
}
