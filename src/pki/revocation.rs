//! Whether a certificate is revoked, from all the lists of its issuer (RFC 5280 section 6.3.3).
//!
//! Every list is asked, one at a time, so that their order never matters. A certificate that any
//! properly signed list names is revoked, however old, partial or out of scope that list is. It is
//! good only if a list that is fresh, complete and meant for it does not name it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::crl::{Covers, Crl, Standing};

/// The lists of a trust set, by issuer.
#[derive(Default)]
pub(super) struct CrlSet {
    pub(super) generation: u64,
    by_issuer: HashMap<Vec<u8>, Vec<Arc<Crl>>>,
}

/// What the lists say about one certificate.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Status {
    /// Not revoked; known until then.
    Good { until: Timestamp },
    /// Revoked, for this reason.
    Revoked(&'static str),
    /// No list can tell, and why.
    Unknown(String),
}

impl CrlSet {
    /// The set with these lists in place of its own.
    ///
    /// An earlier issue of a list never replaces a later one (RFC 5280 section 5.2.3): someone may be
    /// playing it back to hide what the later one revokes. Only a list that one of `authorities` has
    /// signed stands in the way of others.
    pub(super) fn replaced_by(&self, lists: Vec<Crl>, authorities: &[&Certificate]) -> Self {
        let mut by_issuer: HashMap<Vec<u8>, Vec<Arc<Crl>>> = HashMap::new();
        for list in lists {
            let held = self.of(&list.issuer).iter().find(|held| {
                let signer = |c: &&Certificate| {
                    c.subject == held.issuer && may_sign_lists(c) && held.is_signed_by(&c.spki)
                };
                list.is_older_issue_of(held) && authorities.iter().copied().any(|c| signer(&c))
            });
            let kept = held.map_or_else(|| Arc::new(list), Arc::clone);
            by_issuer.entry(kept.issuer.clone()).or_default().push(kept);
        }
        Self { generation: self.generation + 1, by_issuer }
    }

    /// What the lists say about a certificate, given its issuer's certificate.
    pub(super) fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Status {
        let lists = self.of(&issuer.subject);
        if lists.is_empty() {
            return Status::Unknown(format!("there is no list of {}", issuer.subject_text));
        }
        if !may_sign_lists(issuer) {
            return Status::Unknown(format!(
                "{} has a key usage without cRLSign",
                issuer.subject_text
            ));
        }
        let mut known_until: Option<Timestamp> = None;
        let mut complaints = Vec::new();
        for list in lists {
            match ask(list, certificate, issuer, now) {
                Ok(until) => known_until = known_until.max(Some(until)),
                Err(Silence::Revoked(reason)) => return Status::Revoked(reason),
                Err(Silence::Because(complaint)) => complaints.push(complaint),
            }
        }
        match known_until {
            Some(until) => Status::Good { until },
            None => Status::Unknown(format!(
                "the lists of {} do not tell: {}",
                issuer.subject_text,
                complaints.join("; ")
            )),
        }
    }

    /// What is wrong with the lists of these authorities. Two of one name are one authority with two
    /// keys, and a list by either is in order.
    pub(super) fn complaints(&self, authorities: &[&Certificate], now: Timestamp) -> Vec<String> {
        let mut complaints = Vec::new();
        for (place, authority) in authorities.iter().enumerate() {
            let is_namesake = |other: &&&Certificate| other.subject == authority.subject;
            if authorities[..place].iter().any(|other| is_namesake(&other)) {
                continue;
            }
            let name = &authority.subject_text;
            let lists = self.of(&authority.subject);
            if lists.is_empty() {
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

/// Why a list does not say "good".
enum Silence {
    Revoked(&'static str),
    Because(String),
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
    if let Some(complaint) = shortcoming(list, now) {
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
    list.next_update.map_or_else(|| because("it does not say until when it holds"), Ok)
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
    if let Standing::Partial(reason) = list.standing {
        return Some(reason.to_owned());
    }
    if list.this_update > now {
        return Some(format!("it is of {}, which is to come", list.this_update));
    }
    match list.next_update {
        None => Some("it does not say until when it holds".to_owned()),
        Some(next_update) => {
            (next_update < now).then(|| format!("it was to be renewed at {next_update}"))
        }
    }
}

/// RFC 5280 section 6.3.3 (f).
fn may_sign_lists(issuer: &Certificate) -> bool {
    issuer.key_usage.is_none_or(|usage| usage.crl_sign())
}
