//! What is written is read, in order and within bounds.

use super::*;
use crate::store::tests::{migrated, plan_of, stores};

const BOUNDS: RefusedRequestBounds = RefusedRequestBounds { signed: 3, unsigned: 2, of_nobody: 1 };

fn record(number: u8, client: Option<&str>, signature_verified: bool) -> RefusedRequest {
    RefusedRequest {
        trace_id: format!("{number:032x}"),
        at: Timestamp::from_seconds(1_000 + i64::from(number) / 2),
        client: client.map(|id| NamedClient {
            id: id.parse().unwrap(),
            organization: "310000116".parse().unwrap(),
        }),
        business: None,
        signature_verified,
        error: "invalid_grant".to_owned(),
        code: Some("MP-110".to_owned()),
        answer: Excerpt::of("Invalid."),
        passed: vec![Step::Form, Step::Parse],
        failed: Some(Step::Client),
        seen: Some(Excerpt::of("a \u{e5}")),
        expected: None,
        kid: Some(Excerpt::of("k")),
        certificate_organization: Some("310000116".parse().unwrap()),
        scopes: Some(Excerpt::of("a:b a:c")),
        consumer: None,
    }
}

async fn numbers(store: &Store, of: &RefusedRequestsOf) -> Vec<u8> {
    let records = store.refused_requests(of, None, 100).await.unwrap();
    records.items.iter().map(|record| u8::from_str_radix(&record.trace_id, 16).unwrap()).collect()
}

#[tokio::test]
async fn what_is_written_is_read() {
    for (store, _kept) in stores().await {
        let business = NamedBusiness {
            identifier: "NTRSE-5560360793".parse().unwrap(),
            client: "eidas-4386".parse().unwrap(),
        };
        let of_business = RefusedRequest { business: Some(business), ..record(3, None, true) };
        let records = [record(1, Some("a"), true), record(2, None, false), of_business];
        store.refused_request_writer().write(&records, BOUNDS).await.unwrap();
        for record in records {
            assert_eq!(store.refused_request(&record.trace_id).await.unwrap(), Some(record));
        }
        assert_eq!(store.refused_request("x").await.unwrap(), None);
    }
}

#[tokio::test]
async fn each_sender_keeps_its_newest() {
    for (store, _kept) in stores().await {
        let mut writer = store.refused_request_writer();
        for number in 0..6 {
            let records = [
                record(10 + number, Some("a"), true),
                record(20 + number, Some("a"), false),
                record(30 + number, Some("b"), false),
                record(40 + number, None, false),
            ];
            writer.write(&records, BOUNDS).await.unwrap();
        }
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        assert_eq!(numbers(&store, &RefusedRequestsOf::Client(a)).await, [25, 24, 15, 14, 13]);
        assert_eq!(numbers(&store, &RefusedRequestsOf::Client(b)).await, [35, 34]);
        let number = "310000116".parse().unwrap();
        let of_organization = numbers(&store, &RefusedRequestsOf::Organization(number)).await;
        assert_eq!(of_organization, [35, 34, 25, 24, 15, 14, 13]);
        let everybody = numbers(&store, &RefusedRequestsOf::Everybody).await;
        assert_eq!(everybody, [45, 35, 34, 25, 24, 15, 14, 13]);
        let other = RefusedRequestsOf::Organization("310000108".parse().unwrap());
        assert!(numbers(&store, &other).await.is_empty());
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    for (store, _kept) in stores().await {
        let mut writer = store.refused_request_writer();
        let bounds = RefusedRequestBounds { signed: 100, ..BOUNDS };
        let records: Vec<_> = (0..7).map(|number| record(number, Some("a"), true)).collect();
        writer.write(&records, bounds).await.unwrap();
        let of = RefusedRequestsOf::Client("a".parse().unwrap());
        let mut seen = Vec::new();
        let mut place = None;
        loop {
            let page = store.refused_requests(&of, place.as_ref(), 2).await.unwrap();
            place = page.items.last().map(RefusedRequest::place);
            seen.extend(page.items);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(seen, records.into_iter().rev().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_page_goes_on_behind_a_record_that_cannot_be_read() {
    for (store, _kept) in stores().await {
        let mut writer = store.refused_request_writer();
        let records: Vec<_> = (0..3).map(|number| record(number, Some("a"), true)).collect();
        writer.write(&records, BOUNDS).await.unwrap();
        let of = RefusedRequestsOf::Client("a".parse().unwrap());
        let newest = &records[2].trace_id;
        let spoil = "update refused_request set failed = 'nonsense' where trace_id = $1".to_owned();
        query_of(spoil).bind(newest).execute(&store.writer).await.unwrap();
        let page = store.refused_requests(&of, None, 1).await.unwrap();
        assert_eq!((&page.items[..], page.has_more), (&records[1..2], true));
    }
}

#[tokio::test]
async fn room_is_made_by_age_and_then_by_standing() {
    for (store, _kept) in stores().await {
        let mut writer = store.refused_request_writer();
        let records = [
            record(0, Some("a"), true),
            record(20, Some("b"), true),
            record(22, Some("c"), true),
            record(24, Some("d"), false),
        ];
        writer.write(&records, BOUNDS).await.unwrap();
        let oldest = Timestamp::from_seconds(1_001);
        assert!(!writer.make_room(oldest, 100).await.unwrap());
        assert_eq!(numbers(&store, &RefusedRequestsOf::Everybody).await, [24, 22, 20]);
        writer.make_room(oldest, 2).await.unwrap();
        assert_eq!(numbers(&store, &RefusedRequestsOf::Everybody).await, [22, 20]);
        writer.make_room(oldest, 1).await.unwrap();
        assert_eq!(numbers(&store, &RefusedRequestsOf::Everybody).await, [22]);
    }
}

#[tokio::test]
async fn what_one_sender_has_too_many_is_found_without_reading_the_rest() {
    let (store, _folder) = migrated().await;
    for sender in ["client_id = $1", "client_id is null and $1 = ''"] {
        let plan = plan_of(&store, &delete_beyond(sender)).await;
        let by_sender = "refused_request_client (client_id=? AND signature_verified=?)";
        assert!(plan.iter().any(|line| line.ends_with(by_sender)), "{plan:?}");
    }
}
