//! What a browser that has nothing yet loads with a page: the page itself, and style sheet, modules and pictures with
//! what they load in their turn.
//!
//! Counted are the bytes that the server sends to a browser that reads gzip. The server compresses what everybody gets,
//! and leaves pages as they are, because what they hold would show in their length; so a page counts in full, and lists
//! that are full count as a proxy sends them which compresses pages.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::http::{Reply, exchange, request};

/// No page weighs more, with all that it loads: 60 KB.
const PAGE_BYTES_MAX: usize = 60_000;

/// Heaviest pages that are printed.
const PRINTED: usize = 3;

const FOLDER: &str = "/portal/assets/";

/// A file that pages load.
struct File {
    /// As it is sent.
    bytes: usize,
    /// Addresses of the files that it loads.
    loads: BTreeSet<String>,
}

/// Pages as they came, with their names, at the server that they came from.
pub(super) struct Scales {
    address: SocketAddr,
    /// Whether a proxy compresses pages.
    has_proxy: bool,
    pages: Vec<(String, Vec<u8>)>,
    files: BTreeMap<String, File>,
}

impl Scales {
    pub(super) fn at(address: SocketAddr) -> Self {
        Self { address, has_proxy: false, pages: Vec::new(), files: BTreeMap::new() }
    }

    /// Those at a proxy that compresses pages.
    pub(super) fn behind_a_proxy(address: SocketAddr) -> Self {
        Self { has_proxy: true, ..Self::at(address) }
    }

    /// Puts a page on.
    pub(super) fn add(&mut self, name: &str, reply: &Reply) {
        assert_eq!(reply.header("content-encoding"), None, "{name} is compressed");
        self.pages.push((name.to_owned(), reply.body.clone()));
    }

    /// Holds that no page weighs too much, and prints the heaviest.
    pub(super) async fn weigh(mut self) {
        let mut weights = Vec::new();
        for (name, page) in std::mem::take(&mut self.pages) {
            let text = String::from_utf8(page).unwrap();
            let files = self.all_of(&text).await;
            // Each page has the style sheet, a module, the pictures and the sign in the tab.
            assert!(files.len() >= 4, "{name} loads only {files:?}");
            let loaded: usize = files.iter().map(|file| self.files[file].bytes).sum();
            let page = if self.has_proxy { compressed(&text) } else { text.len() };
            weights.push((page + loaded, page, loaded, name));
        }
        weights.sort_unstable_by(|one, other| other.cmp(one));
        for (all, page, loaded, name) in weights.iter().take(PRINTED) {
            println!("{all} bytes for {name}: {page} of the page and {loaded} that it loads");
        }
        let heavy: Vec<_> = weights.iter().filter(|(all, ..)| *all >= PAGE_BYTES_MAX).collect();
        assert!(heavy.is_empty(), "these weigh {PAGE_BYTES_MAX} bytes or more: {heavy:?}");
    }

    /// Everything that a page loads, and what that loads.
    async fn all_of(&mut self, page: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut next: Vec<String> = addresses(page).into_iter().collect();
        while let Some(file) = next.pop() {
            if !self.files.contains_key(&file) {
                let loaded = self.load(&file).await;
                self.files.insert(file.clone(), loaded);
            }
            if found.insert(file.clone()) {
                next.extend(self.files[&file].loads.iter().cloned());
            }
        }
        found
    }

    async fn load(&self, file: &str) -> File {
        let get = async |headers: &[(&str, &str)]| {
            let asked = request(&format!("GET {file}"), headers, b"");
            let reply = exchange(self.address, &asked).await.unwrap();
            assert_eq!(reply.status, 200, "{file}: {}", reply.text());
            reply
        };
        let sent = get(&[("Accept-Encoding", "gzip, deflate, br")]).await;
        assert_eq!(sent.header("content-encoding"), Some("gzip"), "{file}");
        let plain = String::from_utf8(get(&[]).await.body).unwrap();
        let follows = !plain.contains("url(") && !plain.contains("@import");
        assert!(follows, "{file} loads something in a way that is not followed here");
        let folder = file.rsplit_once('/').unwrap().0;
        let imported = plain.split(" from './").skip(1).filter_map(|rest| rest.split_once('\''));
        let imported = imported.map(|(name, _)| format!("{folder}/{name}"));
        File { bytes: sent.body.len(), loads: imported.collect() }
    }
}

/// How many bytes a text has in gzip.
fn compressed(text: &str) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap().len()
}

/// The addresses of files in a page, without the part of a picture that is meant.
fn addresses(text: &str) -> BTreeSet<String> {
    let ends = |it: char| matches!(it, '"' | '\'' | '#' | ')' | ' ' | '\n');
    let parts = text.split(FOLDER).skip(1);
    parts.map(|rest| format!("{FOLDER}{}", rest.split(ends).next().unwrap_or_default())).collect()
}
