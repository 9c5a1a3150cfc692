//! Addresses and methods that are not there.

use serde_json::Value;

use crate::harness::CONSUMER;
use crate::harness::admin::AdminServer;

#[tokio::test]
async fn the_prefixes_of_an_organization_are_there_with_a_token_only() {
    let admin = AdminServer::start().await;
    let reply = admin.call(None, "GET /api/v1/prefix", Value::Null).await;
    assert_eq!(reply.status, 401, "{}", reply.text());
    let token = admin.token(CONSUMER, "idporten:scopes.read").await;
    let reply = admin.call(Some(&token), "GET /api/v1/prefix", Value::Null).await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"[]".as_slice()), "{}", reply.text());
}
