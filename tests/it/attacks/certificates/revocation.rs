//! Revocation lists. One server knows many small authorities, each with its own lists.

use std::time::Duration;

use rcgen::RevocationReason::{
    self, AaCompromise, AffiliationChanged, CaCompromise, CertificateHold, CessationOfOperation,
    KeyCompromise, PrivilegeWithdrawn, RemoveFromCrl, Superseded, Unspecified,
};
use rcgen::{CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope, SerialNumber};

use super::{REFUSED, UNKNOWN, sent};
use crate::harness::chain::{Authority, CA_SERIAL, LEAF_SERIAL, Pki, Trust, at, revoked};
use crate::harness::clock::tick;
use crate::harness::der::{extension, integer, sequence, tlv};
use crate::harness::row::{Expect, Row, TOKEN, run};
use crate::harness::server::{TestServer, certified, pki};

/// A set of authorities and what a certificate of theirs comes to.
struct Case {
    id: &'static str,
    what: String,
    trust: Trust,
    row: Row,
}

/// A case in which the intermediate has these lists, and the root a good one.
fn case(
    id: &'static str,
    what: impl Into<String>,
    expect: Expect,
    lists: impl FnOnce(&Pki) -> Vec<Vec<u8>>,
) -> Case {
    whole(id, what, expect, |pki| {
        let mut lists = lists(pki);
        lists.push(pki.root.crl(|_| {}));
        lists
    })
}

/// A case with these lists and no others.
fn whole(
    id: &'static str,
    what: impl Into<String>,
    expect: Expect,
    lists: impl FnOnce(&Pki) -> Vec<Vec<u8>>,
) -> Case {
    let what = what.into();
    let pki = Pki::new(&format!("{id} {what}"));
    let trust = Trust::with_crls(&pki, lists(&pki));
    let row = sent(id, &what, &pki.ca.leaf(|_| {}), &[], expect).failing("revocation");
    Case { id, what, trust, row }
}

/// Runs all cases against one server.
async fn run_all(cases: Vec<Case>) {
    let mut trust = vec![Trust::of(pki())];
    let mut rows = Vec::new();
    for case in cases {
        assert!(!case.id.is_empty() && !case.what.is_empty());
        trust.push(case.trust);
        rows.push(case.row);
    }
    let server = TestServer::with(&trust, "").await;
    run(&server, rows).await;
}

/// A list of the intermediate that revokes the leaf.
fn revoking(pki: &Pki, reason: RevocationReason) -> Vec<u8> {
    pki.ca.crl(|p| p.revoked_certs.push(revoked(LEAF_SERIAL, reason)))
}

fn entry(serial: &[u8]) -> Vec<u8> {
    sequence(&[integer(serial), tlv(0x17, b"260501000000Z")])
}

/// Where a list says what it is about.
fn point(content: &[u8]) -> Vec<u8> {
    extension("2.5.29.28", true, &tlv(0x30, content))
}

#[tokio::test]
async fn what_is_revoked_is_refused_for_every_reason() {
    let mut cases = vec![
        case("D06", "nothing revoked", TOKEN, |pki| vec![pki.ca.crl(|_| {})]),
        case("D06", "another revoked", TOKEN, |pki| {
            vec![pki.ca.crl(|p| p.revoked_certs.push(revoked(&[0x55], KeyCompromise)))]
        }),
        case("D06", "taken off the list", TOKEN, |pki| vec![revoking(pki, RemoveFromCrl)]),
        whole("D08", "the intermediate", REFUSED, |pki| {
            let root = pki.root.crl(|p| p.revoked_certs.push(revoked(CA_SERIAL, CaCompromise)));
            vec![pki.ca.crl(|_| {}), root]
        }),
    ];
    for reason in [
        Unspecified,
        KeyCompromise,
        CaCompromise,
        AffiliationChanged,
        Superseded,
        CessationOfOperation,
        CertificateHold,
        PrivilegeWithdrawn,
        AaCompromise,
    ] {
        let what = format!("{reason:?}");
        cases.push(case("D06", what, REFUSED, |pki| vec![revoking(pki, reason)]));
    }
    run_all(cases).await;
}

#[tokio::test]
async fn a_list_that_cannot_tell_gives_no_token() {
    let stale = |pki: &Pki| {
        pki.ca.crl(|p| {
            p.this_update = at(-7200);
            p.next_update = at(-1);
        })
    };
    let of_impostor = |pki: &Pki| {
        let mut name = String::new();
        for (_, value) in pki.ca.params.distinguished_name.iter() {
            if let rcgen::DnValue::Utf8String(text) = value {
                name.clone_from(text);
            }
        }
        assert!(!name.is_empty());
        Authority::root(&name, |_| {}).crl(|_| {})
    };
    let scope = |scope| {
        let uris = vec!["http://crl.test/".to_owned()];
        let distribution_point = CrlDistributionPoint { uris };
        CrlIssuingDistributionPoint { distribution_point, scope: Some(scope) }
    };
    let for_authorities = |pki: &Pki| {
        pki.ca.crl(|p| p.issuing_distribution_point = Some(scope(CrlScope::CaCertsOnly)))
    };
    let for_users = |pki: &Pki| {
        pki.ca.crl(|p| p.issuing_distribution_point = Some(scope(CrlScope::UserCertsOnly)))
    };
    let made =
        |extensions: Vec<Vec<u8>>| move |pki: &Pki| vec![pki.ca.hand_made_crl(&[], &extensions)];
    let number = || extension("2.5.29.20", false, &integer(&[9]));
    let odd = extension("1.3.6.1.4.1.99999.1", true, &[5, 0]);
    let odd_entry = sequence(&[
        integer(&[0x55]),
        tlv(0x17, b"260501000000Z"),
        sequence(&[extension("2.5.29.29", true, &tlv(0x30, &[]))]),
    ]);
    let delta = extension("2.5.29.27", true, &integer(&[8]));
    let cases = vec![
        case("D09", "expired a second ago", UNKNOWN, |pki| vec![stale(pki)]),
        case("D09", "none at all", UNKNOWN, |_| Vec::new()),
        whole("D09", "none of the root", UNKNOWN, |pki| vec![pki.ca.crl(|_| {})]),
        case("D09", "of tomorrow", UNKNOWN, |pki| vec![pki.ca.crl(|p| p.this_update = at(60))]),
        case("D09", "in its last second", TOKEN, |pki| vec![pki.ca.crl(|p| p.next_update = at(0))]),
        case("D10", "of another with its name", UNKNOWN, |pki| vec![of_impostor(pki)]),
        case("D10", "another's beside its own", TOKEN, |pki| {
            vec![of_impostor(pki), pki.ca.crl(|_| {})]
        }),
        case("D10", "signed by the leaf", UNKNOWN, |pki| {
            let ca = Authority {
                key: rcgen::KeyPair::generate().unwrap(),
                params: pki.ca.params.clone(),
                der: Vec::new(),
            };
            vec![ca.crl(|_| {})]
        }),
        case("D10", "a broken signature", UNKNOWN, |pki| {
            let mut list = pki.ca.crl(|_| {});
            *list.last_mut().unwrap() ^= 1;
            vec![list]
        }),
        case("D11", "for authorities only", UNKNOWN, |pki| vec![for_authorities(pki)]),
        case("D11", "for leaves only", TOKEN, |pki| vec![for_users(pki)]),
        case("D14", "by hand, as it should be", TOKEN, made(vec![number()])),
        case("D14", "an unknown critical extension", UNKNOWN, made(vec![number(), odd])),
        case("D14", "one in an entry", UNKNOWN, |pki| {
            vec![pki.ca.hand_made_crl(&[odd_entry], &[number()])]
        }),
        case("D14", "an indirect list", UNKNOWN, made(vec![point(&tlv(0x84, &[0xff]))])),
        case("D14", "for some reasons only", UNKNOWN, made(vec![point(&tlv(0x83, &[6, 0x40]))])),
        case("D14", "a delta alone", UNKNOWN, made(vec![delta.clone()])),
        case("D14", "a delta that revokes", REFUSED, |pki| {
            let list = pki.ca.hand_made_crl(&[entry(LEAF_SERIAL)], &[delta]);
            vec![pki.ca.crl(|_| {}), list]
        }),
    ];
    run_all(cases).await;
}

#[tokio::test]
async fn of_two_lists_the_one_that_revokes_counts() {
    let cases = vec![
        case("D12", "the revoking one second", REFUSED, |pki| {
            vec![pki.ca.crl(|_| {}), revoking(pki, KeyCompromise)]
        }),
        case("D12", "the revoking one first", REFUSED, |pki| {
            vec![revoking(pki, KeyCompromise), pki.ca.crl(|_| {})]
        }),
        case("D12", "the revoking one expired", REFUSED, |pki| {
            let old = pki.ca.crl(|p| {
                p.this_update = at(-7200);
                p.next_update = at(-3600);
                p.revoked_certs.push(revoked(LEAF_SERIAL, KeyCompromise));
            });
            vec![pki.ca.crl(|_| {}), old]
        }),
    ];
    run_all(cases).await;
}

#[tokio::test]
async fn an_old_list_does_not_come_back() {
    // D13
    let pki = Pki::new("Renewed");
    let root = pki.root.crl(|_| {});
    let numbered = |number: u64, revokes: bool| {
        pki.ca.crl(|p| {
            p.crl_number = SerialNumber::from(number);
            if revokes {
                p.revoked_certs.push(revoked(LEAF_SERIAL, KeyCompromise));
            }
        })
    };
    let trust = Trust::with_crls(&pki, vec![root.clone(), numbered(8, false)]);
    let server = TestServer::with(&[Trust::of(crate::harness::server::pki()), trust], "").await;
    let leaf = pki.ca.leaf(|_| {});
    let row =
        |what: &str, expect| vec![sent("D13", what, &leaf, &[], expect).failing("revocation")];
    run(&server, row("before", TOKEN)).await;
    let set = &server.app.issuer.certificates.sets()[1];
    // What has been verified is judged again when the lists change.
    set.replace_crls(vec![root.clone(), numbered(9, true)]).unwrap();
    run(&server, row("revoked", REFUSED)).await;
    set.replace_crls(vec![root.clone(), numbered(8, false)]).unwrap();
    run(&server, row("the old list again", REFUSED)).await;
    set.replace_crls(vec![root, numbered(10, false)]).unwrap();
    run(&server, row("a newer list", TOKEN)).await;
}

#[tokio::test]
async fn a_long_list_is_asked_quickly() {
    // D15, with a tenth of the entries: it is the time of a request that counts.
    let entries: Vec<Vec<u8>> =
        (0..100_000_u32).map(|i| entry(&(i + 0x10_0000).to_be_bytes())).collect();
    let long = Pki::new("Long");
    let number = extension("2.5.29.20", false, &integer(&[9]));
    let list = long.ca.hand_made_crl(&entries, &[number]);
    let trust = Trust::with_crls(&long, vec![list, long.root.crl(|_| {})]);
    let server = TestServer::with(&[Trust::of(pki()), trust], "").await;
    // A new leaf each time, so that no answer is remembered.
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let leaf = long.ca.leaf(|_| {});
        let assertion = certified(&leaf.key, &[&leaf.der]).assertion();
        let began = tick();
        assert_eq!(server.ask(&assertion).await.status, 200);
        quickest = quickest.min(began.elapsed());
    }
    assert!(quickest < Duration::from_millis(100), "{quickest:?}");
    // A list beyond the bound is not read at all.
    let set = &server.app.issuer.certificates.sets()[1];
    let mut huge = vec![0; 64 * 1024 * 1024 + 1];
    huge[0] = 0x30;
    assert!(set.replace_crls(vec![huge]).is_err());
}

#[tokio::test]
async fn a_list_that_is_replaced_counts_without_a_restart() {
    // R36: the revoking list is put in the place of the old one while the server runs and has cached the chain.
    let pki = Pki::new("Replaced list");
    let numbered = |number: u64, is_revoking: bool| {
        pki.ca.crl(|p| {
            p.crl_number = SerialNumber::from(number);
            if is_revoking {
                p.revoked_certs.push(revoked(LEAF_SERIAL, KeyCompromise));
            }
        })
    };
    let trust = Trust::with_crls(&pki, vec![numbered(1, false), pki.root.crl(|_| {})]);
    let server = TestServer::with(&[trust], "").await;
    let leaf = pki.ca.leaf(|_| {});
    let caller = certified(&leaf.key, &[&leaf.der]);
    assert_eq!(server.ask(&caller.assertion()).await.status, 200);
    let list = server.folder().join("0-crl-0");
    std::fs::write(&list, "no list").unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(server.ask(&caller.assertion()).await.status, 200, "the old list stays in use");
    std::fs::write(&list, numbered(2, true)).unwrap();
    let began = tick();
    while server.ask(&caller.assertion()).await.status == 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(server.ask(&caller.assertion()).await.text().contains("MP-120"));
}
