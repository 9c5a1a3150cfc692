//! Business data of organizations.

use serde_json::{Value, json};

use crate::admin::own::{assert_status, items, tag};
use crate::harness::admin::AdminServer;
use crate::harness::{CONSUMER, PROVIDER};

const SHOW: &str = "/organizations/310000116/business-data";
const REPLACE: &str = "PUT /organizations/310000116/business-data";

fn data() -> Value {
    json!({
        "invoice": {
            "address_lines": ["Postboks 1", "0001 Oslo"],
            "email": "faktura@consumer.test",
            "peppol_id": "0192:310000116",
            "reference": "1234",
        },
        "contact_points": [{
            "name": "Ålesund drift", "role": "security", "email": "drift@consumer.test",
            "phone": "+47 22 45 10 00",
        }],
        "alert_points": [{
            "email": "varsel@consumer.test", "language": "nn",
            "kinds": ["key_expiring", "scope_deactivated"],
        }],
    })
}

fn changed(path: &str, value: Value) -> Value {
    let mut data = data();
    *data.pointer_mut(path).unwrap() = value;
    data
}

#[tokio::test]
async fn what_an_organization_says_is_kept_and_no_change_of_it_is_lost() {
    let admin = AdminServer::start().await;
    let token = admin.token(CONSUMER, "portvakt:organization.write").await;
    let empty = admin.look(&token, SHOW).await;
    assert_status("nothing yet", &empty, 200);
    assert_eq!(empty.json()["contact_points"], json!([]));
    assert_eq!(tag(&empty), "\"0\"");
    assert_status("no tag", &admin.own(&token, REPLACE, "", data()).await, 428);
    assert_status("a wrong tag", &admin.own(&token, REPLACE, "\"1\"", data()).await, 412);
    let first = admin.own(&token, REPLACE, "\"0\"", data()).await;
    assert_status("first", &first, 200);
    assert_eq!(first.json(), data());
    assert_status("too late", &admin.own(&token, REPLACE, "\"0\"", data()).await, 412);
    let other = changed("/invoice/reference", json!("5678"));
    let second = admin.own(&token, REPLACE, &tag(&first), other.clone()).await;
    assert_status("second", &second, 200);
    let shown = admin.look(&token, SHOW).await;
    assert_eq!((shown.json(), tag(&shown)), (other.clone(), tag(&second)));

    let reader = admin.token(CONSUMER, "idporten:dcr.read").await;
    assert_eq!(admin.look(&reader, SHOW).await.json(), other);
    let rows = items(&admin.look(&reader, "/audit?limit=500").await);
    let of = |row: &&Value| row["action"] == "change business data" && row["outcome"] == "done";
    let rows: Vec<_> = rows.iter().filter(of).collect();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!((&rows[0]["before"], &rows[0]["after"]), (&data(), &other));
    assert_eq!((&rows[1]["before"], &rows[1]["after"]), (&Value::Null, &data()));
    assert_eq!(rows[0]["organization"], CONSUMER);
}

#[tokio::test]
async fn it_is_the_organizations_own_and_the_operators() {
    let admin = AdminServer::start().await;
    let token = admin.token(CONSUMER, "portvakt:organization.write").await;
    assert_status("own", &admin.own(&token, REPLACE, "*", data()).await, 200);
    let other = admin.full_token(PROVIDER).await;
    for reply in [admin.look(&other, SHOW).await, admin.own(&other, REPLACE, "*", data()).await] {
        assert_status("another", &reply, 403);
        assert!(!reply.text().contains("consumer.test"), "{}", reply.text());
    }
    for unfit in ["portvakt:users.write", "idporten:scopes.write", "idporten:dcr.write"] {
        let token = admin.token(CONSUMER, unfit).await;
        assert_status(unfit, &admin.own(&token, REPLACE, "*", data()).await, 403);
    }
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    assert_eq!(admin.look(&operator, SHOW).await.json(), data());
    let nowhere = "/organizations/310000132/business-data";
    assert_status("nowhere", &admin.look(&operator, nowhere).await, 404);
    let line = format!("PUT {nowhere}");
    assert_status("nowhere", &admin.own(&operator, &line, "*", data()).await, 404);
}

#[tokio::test]
async fn what_is_not_well_formed_or_too_much_is_refused_with_its_name() {
    let admin = AdminServer::start().await;
    let token = admin.token(CONSUMER, "portvakt:organization.write").await;
    let contact = data()["contact_points"][0].clone();
    let alert = data()["alert_points"][0].clone();
    let many: Vec<_> = (0..21)
        .map(|n| json!({ "email": format!("a{n}@b.test"), "language": "nb", "kinds": ["key_expiring"] }))
        .collect();
    for (field, body) in [
        ("email", changed("/invoice/email", json!("a@b.test\r\nBcc: c@b.test"))),
        ("peppol_id", changed("/invoice/peppol_id", json!("991825827"))),
        ("reference", changed("/invoice/reference", json!("x".repeat(256)))),
        ("address_lines", changed("/invoice/address_lines", json!(vec!["x"; 7]))),
        ("address_lines", changed("/invoice/address_lines", json!(["a\nb"]))),
        ("address_lines", changed("/invoice/address_lines", json!([" "]))),
        ("contact_points", changed("/contact_points", json!(vec![contact; 21]))),
        ("name", changed("/contact_points/0/name", json!("\u{202e}name"))),
        ("role", changed("/contact_points/0/role", json!("boss"))),
        ("email", changed("/contact_points/0/email", json!("\"a\"@b.test"))),
        ("phone", changed("/contact_points/0/phone", json!("call me"))),
        ("alert_points", changed("/alert_points", json!(many))),
        ("alert_points", changed("/alert_points", json!([alert, alert]))),
        ("email", changed("/alert_points/0/email", json!("a@b.test, c@b.test"))),
        ("language", changed("/alert_points/0/language", json!("se"))),
        ("kinds", changed("/alert_points/0/kinds", json!([]))),
        ("kinds", changed("/alert_points/0/kinds", json!(["everything"]))),
        ("owner", {
            let mut data = data();
            data["owner"] = PROVIDER.into();
            data
        }),
    ] {
        let reply = admin.own(&token, REPLACE, "*", body).await;
        assert_status(field, &reply, 400);
        assert!(reply.text().contains(field), "{field}: {}", reply.text());
    }
    assert_eq!(tag(&admin.look(&token, SHOW).await), "\"0\"");
}
