//! The server and its parts from outside, in one binary.
//!
//! [`attacks`]: what a running server must refuse, and how, and what must still work. The attacks are numbered:
//! A framing and form, B the JWS, C claims, D certificates, F replay, K what leaks, L load. Each number is a row
//! of a table; control rows that must succeed stand beside those that must not. [`backup`]: backup and restore. [`commands`]: the program as its
//! users start it; [`commands_admin`]: the control plane from the shell. [`displaced`]: a database that is moved
//! away. [`european`]: businesses that are known by their certificate alone. [`mail`]: what people are sent. [`nodes`]: several
//! nodes on one database. [`ocsp`]: the answers of a real responder. [`outbound`]: what the server asks of others (J).
//! [`people`]: people in the portal (I). [`portal`]: the pages, as browsers see them. [`properties`]: what must hold for
//! every input. [`unreadable`]: rows that nobody should have written. [`vectors`]: published test vectors.

mod admin;
mod attacks;
mod backup;
mod commands;
mod commands_admin;
mod delegation;
mod displaced;
mod european;
mod explain;
mod fault;
mod harness;
mod mail;
mod nodes;
mod ocsp;
mod outbound;
mod people;
mod portal;
mod properties;
mod unreadable;
mod vectors;
