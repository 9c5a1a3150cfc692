//! The portal over HTTP, as browsers without script use it.

mod consumer;
mod last_day;
mod operator;
mod organization;
mod provider;
mod snapshot_text;
mod snapshots;
mod take_back;
mod volume;
mod weight;
