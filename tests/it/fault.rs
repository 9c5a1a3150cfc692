//! R41: a request meets a fault of the server, which panics. Nobody else hears of it.

use tokio::task::JoinSet;

use crate::harness::http::{exchange, form, post};
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_of_a_panic_while_a_token_is_made_only_its_request_hears() {
    let server = TestServer::start().await;
    assert_eq!(server.ask(&caller("es256").assertion()).await.status, 200);
    let metrics = || server.app.metrics.to_text();
    assert!(metrics().contains("portvakt_panics_total 0\n"), "{}", metrics());
    for round in 1..=3 {
        // The first that is drawn is the id that traces the request; the second, that of the token, when all else is done.
        server.random.panic_after(1);
        let unlucky = caller("es256").assertion();
        let reply = server.ask(&unlucky).await;
        check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap();
        assert!(!reply.text().contains("panic"), "{}", reply.text());
        let told = format!("portvakt_panics_total {round}\n");
        assert!(metrics().contains(&told), "{}", metrics());
        check_refusal(&server.ask(&unlucky).await, 400, "invalid_grant", "MP-012").unwrap();
        let mut others = JoinSet::new();
        for _ in 0..20 {
            let (address, request) = (server.address, post(&form(&caller("es256").assertion())));
            others.spawn(async move { exchange(address, &request).await.unwrap().status });
        }
        let issued = others.join_all().await.into_iter().filter(|status| *status == 200).count();
        println!(
            "panic {round}: one request told so, {issued} of 20 after it have a token (at least 20)"
        );
        assert_eq!(issued, 20);
    }
    assert!(server.app.ready().is_ok());
}
