//! The portal over HTTP, as browsers without script use it.

mod consumer;
mod operator;
mod organization;
mod provider;
mod visitor;
