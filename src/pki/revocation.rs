//! Whether a certificate is revoked, from all the lists of its issuer (RFC 5280 section 6.3.3).
//!
//! Every list is asked, one at a time, so that their order never matters. A certificate that any
//! properly signed list names is revoked, however old, partial or out of scope that list is. It is
//! good only if a list that is fresh, complete and meant for it does not name it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use thiserror::Error;

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::crl::{Covers, Crl, Standing};

/// Where a list comes from.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ListSource {
    /// The files of the trust set.
    Files,
    /// It was fetched from this address.
    Url(String),
}

/// What a list that was fetched has come to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It is in use.
    New,
    /// It was in use already.
    Same,
}

/// Why a list that was fetched is not taken into use; the one that was there before stays.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum CrlRefusal {
    /// It is an earlier issue of the one that is in use (RFC 5280 section 5.2.3).
    #[error("it is an earlier issue of the list of {held} that is in use: it is of {seen}")]
    Older {
        /// When the one in use was issued.
        held: Timestamp,
        /// When this one was.
        seen: Timestamp,
    },
    /// It is of a time to come.
    #[error("it is of {0}, which is to come")]
    Future(Timestamp),
    /// Nobody who is trusted has signed it.
    #[error(
        "it says that it is of {issuer}, and no anchor or intermediate of that name has signed it"
    )]
    Signature {
        /// Whose it says that it is.
        issuer: String,
    },
}

/// The lists of a trust set, by where they come from and by issuer.
#[derive(Default)]
pub(super) struct CrlSet {
    pub(super) generation: u64,
    by_source: BTreeMap<ListSource, Vec<Arc<Crl>>>,
    by_issuer: HashMap<Vec<u8>, Vec<Arc<Crl>>>,
}

/// What the lists say about one certificate.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Status {
    /// Not revoked; known until then.
    Good { until: Timestamp },
    /// Revoked, for this reason.
    Revoked(&'static str),
    /// No list can tell.
    Unknown {
        /// Why not.
        detail: String,
        /// Until when a list could tell that it was not revoked, if one that has ended could.
        good_until: Option<Timestamp>,
    },
}

impl CrlSet {
    /// The set with these lists in place of its own from files.
    ///
    /// An earlier issue of a list never replaces a later one (RFC 5280 section 5.2.3): someone may be
    /// playing it back to hide what the later one revokes. Only a list that one of `authorities` has
    /// signed stands in the way of others.
    pub(super) fn replaced_by(&self, lists: Vec<Crl>, authorities: &[&Certificate]) -> Self {
        let held = self.by_source.get(&ListSource::Files).map_or(&[][..], Vec::as_slice);
        let kept = lists.into_iter().map(|list| {
            let later =
                held.iter().find(|it| list.is_older_issue_of(it) && is_signed(it, authorities));
            later.map_or_else(|| Arc::new(list), Arc::clone)
        });
        self.with(ListSource::Files, kept.collect())
    }

    /// The set with a list that was fetched in place of the one from there; `None` if it is the same.
    pub(super) fn taking(
        &self,
        url: &str,
        list: &Arc<Crl>,
        authorities: &[&Certificate],
        now: Timestamp,
    ) -> Result<Option<Self>, CrlRefusal> {
        let source = ListSource::Url(url.to_owned());
        let held = self.by_source.get(&source).map_or(&[][..], Vec::as_slice);
        if held.iter().any(|held| held.is(list)) {
            return Ok(None);
        }
        if !is_signed(list, authorities) {
            return Err(CrlRefusal::Signature { issuer: list.issuer_text.clone() });
        }
        if list.this_update > now {
            return Err(CrlRefusal::Future(list.this_update));
        }
        // What is held from there has been signed, or it would not be.
        if let Some(held) = held.iter().find(|held| list.is_older_issue_of(held)) {
            let (held, seen) = (held.this_update, list.this_update);
            return Err(CrlRefusal::Older { held, seen });
        }
        Ok(Some(self.with(source, vec![Arc::clone(list)])))
    }

    fn with(&self, source: ListSource, lists: Vec<Arc<Crl>>) -> Self {
        let mut by_source = self.by_source.clone();
        by_source.insert(source, lists);
        let mut by_issuer: HashMap<Vec<u8>, Vec<Arc<Crl>>> = HashMap::new();
        for list in by_source.values().flatten() {
            by_issuer.entry(list.issuer.clone()).or_default().push(Arc::clone(list));
        }
        Self { generation: self.generation + 1, by_source, by_issuer }
    }

    /// Every list, with where it comes from.
    pub(super) fn all(&self) -> impl Iterator<Item = (&ListSource, &Arc<Crl>)> {
        self.by_source.iter().flat_map(|(source, lists)| std::iter::repeat(source).zip(lists))
    }

    /// What the lists say about a certificate, given its issuer's certificate.
    pub(super) fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Status {
        let lists = self.of(&issuer.subject);
        let unknown = |detail| Status::Unknown { detail, good_until: None };
        if lists.is_empty() {
            return unknown(format!("there is no list of {}", issuer.subject_text));
        }
        if !may_sign_lists(issuer) {
            return unknown(format!("{} has a key usage without cRLSign", issuer.subject_text));
        }
        let (mut known_until, mut good_until) = (None, None);
        let mut complaints = Vec::new();
        for list in lists {
            match ask(list, certificate, issuer, now) {
                Ok(until) => known_until = known_until.max(Some(until)),
                Err(Silence::Revoked(reason)) => return Status::Revoked(reason),
                Err(Silence::Because(complaint)) => complaints.push(complaint),
                Err(Silence::Ended(ended)) => {
                    good_until = good_until.max(Some(ended));
                    complaints.push(overdue(ended));
                }
            }
        }
        if let Some(until) = known_until {
            return Status::Good { until };
        }
        let (issuer, complaints) = (&issuer.subject_text, complaints.join("; "));
        let detail = format!("the lists of {issuer} do not tell: {complaints}");
        Status::Unknown { detail, good_until }
    }

    /// What is wrong with the lists of these authorities. Two of one name are one authority with two
    /// keys, and a list by either is in order. That there is none is wrong where lists are `needed`.
    pub(super) fn complaints(
        &self,
        authorities: &[&Certificate],
        needed: bool,
        now: Timestamp,
    ) -> Vec<String> {
        let mut complaints = Vec::new();
        for (place, authority) in authorities.iter().enumerate() {
            let is_namesake = |other: &&&Certificate| other.subject == authority.subject;
            if authorities[..place].iter().any(|other| is_namesake(&other)) {
                continue;
            }
            let name = &authority.subject_text;
            let lists = self.of(&authority.subject);
            if lists.is_empty() && needed {
                complaints.push(format!("there is no revocation list of {name}"));
            }
            for list in lists {
                let distrusted: Option<Vec<String>> =
                    authorities.iter().filter(is_namesake).map(|a| distrust(list, a)).collect();
                let complaint = distrusted
                    .and_then(|reasons| reasons.into_iter().next())
                    .or_else(|| shortcoming(list, now));
                complaints.extend(complaint.map(|complaint| {
                    format!("a revocation list of {name} cannot clear anyone: {complaint}")
                }));
            }
        }
        complaints
    }

    pub(super) fn of(&self, issuer: &[u8]) -> &[Arc<Crl>] {
        self.by_issuer.get(issuer).map_or(&[], Vec::as_slice)
    }
}

/// What is wrong with a list without an end.
const ENDLESS: &str = "it does not say until when it holds";

/// Why a list does not say "good".
enum Silence {
    Revoked(&'static str),
    Because(String),
    /// It would, had it not ended then.
    Ended(Timestamp),
}

/// Asks one list; `Ok` is "good", with the moment until which that is known.
fn ask(
    list: &Crl,
    certificate: &Certificate,
    issuer: &Certificate,
    now: Timestamp,
) -> Result<Timestamp, Silence> {
    let because = |complaint: &str| Err(Silence::Because(complaint.to_owned()));
    if let Some(complaint) = distrust(list, issuer) {
        return Err(Silence::Because(complaint));
    }
    if let Some(reason) = list.reason(&certificate.serial) {
        return Err(Silence::Revoked(reason));
    }
    if let Some(complaint) = defect(list, now) {
        return Err(Silence::Because(complaint));
    }
    match (list.covers, certificate.is_ca) {
        (Covers::Authorities, false) => return because("it is for authorities only"),
        (Covers::EndEntities, true) => return because("it is not for authorities"),
        _ => {}
    }
    if let Some(point) = &list.point
        && !certificate.crl_points.is_empty()
        && !point.iter().any(|name| certificate.crl_points.contains(name))
    {
        return because("it is for another distribution point");
    }
    match list.next_update {
        Some(next_update) if next_update >= now => Ok(next_update),
        Some(ended) => Err(Silence::Ended(ended)),
        None => because(ENDLESS),
    }
}

/// Whether one of these authorities, which may sign lists, has signed it.
fn is_signed(list: &Crl, authorities: &[&Certificate]) -> bool {
    let is_signer = |it: &Certificate| {
        it.subject == list.issuer && may_sign_lists(it) && list.is_signed_by(&it.spki)
    };
    authorities.iter().any(|authority| is_signer(authority))
}

/// Why nothing that a list says is believed.
fn distrust(list: &Crl, issuer: &Certificate) -> Option<String> {
    if !list.is_signed_by(&issuer.spki) {
        return Some("it is not signed with the issuer's key".to_owned());
    }
    match &list.standing {
        Standing::Unusable(reason) => Some(reason.clone()),
        Standing::Complete | Standing::Partial(_) => None,
    }
}

/// Why it means nothing that a certificate is not on a list.
fn shortcoming(list: &Crl, now: Timestamp) -> Option<String> {
    let ended = list.next_update.filter(|next_update| *next_update < now);
    defect(list, now).or_else(|| ended.map(overdue))
}

/// The same, but for that it has ended.
fn defect(list: &Crl, now: Timestamp) -> Option<String> {
    if let Standing::Partial(reason) = list.standing {
        return Some(reason.to_owned());
    }
    if list.this_update > now {
        return Some(format!("it is of {}, which is to come", list.this_update));
    }
    list.next_update.is_none().then(|| ENDLESS.to_owned())
}

fn overdue(ended: Timestamp) -> String {
    format!("it was to be renewed at {ended}")
}

/// RFC 5280 section 6.3.3 (f).
fn may_sign_lists(issuer: &Certificate) -> bool {
    issuer.key_usage.is_none_or(|usage| usage.crl_sign())
}
