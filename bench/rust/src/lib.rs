//! The events of the cases, and their timestamps.

pub mod events;
pub mod time;
