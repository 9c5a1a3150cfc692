//! The consumer's pages: clients from the first wish to the first token, by forms alone.

use std::time::Duration;

use portvakt::domain::organization::OrganizationNumber;
use portvakt::domain::user::Role;
use portvakt::registry::{ClientFilter, NewClient};

use crate::commands::{Dev, free_ports};
use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, hidden, html};
use crate::harness::caller::{Caller, Key};
use crate::harness::clock::{NOW, tick};
use crate::harness::http::{FORM, Reply, exchange, form, request};
use crate::harness::server::{actor, caller};
use crate::harness::{CONSUMER, ISSUER, PROVIDER, SUPPLIER};

const PATIENCE: Duration = Duration::from_secs(5);

fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.header("location").unwrap().to_owned()
}

async fn clients_of(server: &AdminServer, organization: &str) -> usize {
    let organization: OrganizationNumber = organization.parse().unwrap();
    let filter = ClientFilter {
        organization: Some(organization),
        inactive: true,
        ..ClientFilter::default()
    };
    let found = server.server.app.registry.clients(&actor(), filter, 500).await.unwrap();
    found.items.len()
}

fn signs_with(client_id: &str, kid: &str, key: &Key) -> Caller {
    Caller {
        client_id: client_id.to_owned(),
        key: key.clone(),
        hint: ("kid", kid.into()),
        scope: "test:read",
        good: None,
    }
}

#[tokio::test]
async fn a_client_is_made_in_three_steps_without_script_and_gets_a_token() {
    let server = AdminServer::start().await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let before = clients_of(&server, CONSUMER).await;
    assert_eq!(kari.get("/portal/clients/new?scope=test%3Aread").await.status, 200);
    let step = kari.get("/portal/clients/new/scopes?name=&scope=test%3Aread").await;
    assert_eq!(step.status, 422);
    assert!(html(&step).contains("Give the client a name."), "{}", step.text());
    let asked = "name=a+%3Cb%3E+client&description=tests&scope=test%3Aread";
    let step = html(&kari.get(&format!("/portal/clients/new/scopes?{asked}&show=open")).await);
    assert!(step.contains("value=\"test:open\"") && step.contains("value=\"test:read\" checked"));
    let step = kari.get(&format!("/portal/clients/new/key?{asked}")).await;
    let id = hidden(&step, "id").unwrap();
    assert_eq!(clients_of(&server, CONSUMER).await, before, "looking has made something");

    let key = Key::generate("ES256");
    let jwk = key.jwk("first-key").to_string();
    let from = format!("/portal/clients/new/key?{asked}");
    let fields = [
        ("id", id.as_str()),
        ("name", "a <b> client"),
        ("description", "tests"),
        ("scope", "test:read"),
        ("how", "paste"),
        ("key", jwk.as_str()),
    ];
    let ready = location(&kari.post(&from, "/portal/clients", &fields).await);
    let client = ready.split('/').nth(3).unwrap().to_owned();
    let page = html(&kari.get(&ready).await);
    for part in [client.as_str(), "first-key", ISSUER, "test:read", "a &#60;b&#62; client"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    // Sent twice, it is made once.
    assert_eq!(location(&kari.post(&from, "/portal/clients", &fields).await), ready);
    assert_eq!(clients_of(&server, CONSUMER).await, before + 1);
    let reply = server.server.ask(&signs_with(&client, "first-key", &key).assertion()).await;
    assert!(reply.token().is_some(), "{}", reply.text());

    // An id that the server has not sealed is none.
    let made_up = [("id", "my-own-id"), ("name", "b"), ("how", "certificate")];
    assert_eq!(kari.post(&from, "/portal/clients", &made_up).await.status, 403);
}

#[tokio::test]
async fn a_private_key_is_refused_and_not_shown_again() {
    let server = AdminServer::start().await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let mut jwk = Key::generate("ES256").jwk("secret-key");
    jwk["d"] = "c2VjcmV0LXNlY3JldC1zZWNyZXQ".into();
    let (from, to) = ("/portal/clients/rs256/keys/new", "/portal/clients/rs256/keys");
    for secret in
        [jwk.to_string(), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LXNlY3JldC1zZWNyZXQ\n".into()]
    {
        let reply = kari.post(from, to, &[("key", secret.as_str())]).await;
        assert_eq!(reply.status, 422);
        assert!(!reply.text().contains("c2VjcmV0"), "{}", reply.text());
    }
    let again = kari.post(from, to, &[("key", jwk.to_string().as_str())]).await;
    assert!(html(&again).contains("This is a private key."), "{}", again.text());
}

#[tokio::test]
async fn a_key_is_renewed_with_overlap_and_withdrawn_and_nobody_is_overwritten() {
    let server = AdminServer::start().await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let new = Key::generate("ES256");
    let jwk = new.jwk("second-key").to_string();
    let from = "/portal/clients/es256/keys/new?renew=es256-key";
    let version = hidden(&kari.get(from).await, "version").unwrap();
    let fields = [
        ("version", version.as_str()),
        ("renew", "es256-key"),
        ("overlap", "hour"),
        ("key", jwk.as_str()),
    ];
    let keys = "/portal/clients/es256/keys";
    // It ends where the code is that the new kid must be put into.
    let code = location(&kari.post(from, keys, &fields).await);
    assert_eq!(code, "/portal/clients/es256/ready");
    assert!(html(&kari.get(&code).await).contains("second-key"));
    let old = caller("es256");
    for caller in [&old, &signs_with("es256", "second-key", &new)] {
        assert!(server.server.ask(&caller.assertion()).await.token().is_some());
    }
    // The same form again names a version that is over.
    let stale = kari.post(from, keys, &fields).await;
    assert_eq!(stale.status, 422);
    assert!(html(&stale).contains("Somebody has changed this"), "{}", stale.text());

    let page = html(&kari.get(keys).await);
    assert!(page.contains("second-key") && page.contains("Expires soon"), "{page}");
    let withdraw = "/portal/clients/es256/keys/second-key/withdraw";
    let version = hidden(&kari.get(withdraw).await, "version").unwrap();
    location(&kari.post(withdraw, withdraw, &[("version", version.as_str())]).await);
    let refused = server.server.ask(&signs_with("es256", "second-key", &new).assertion()).await;
    assert!(refused.token().is_none());

    server.server.clock.set(NOW + 2 * 60 * 60);
    let refused = server.server.ask(&old.assertion()).await;
    assert!(refused.token().is_none(), "the old key has outlived its overlap");
}

#[tokio::test]
async fn others_see_nothing_and_readers_change_nothing() {
    let server = AdminServer::start().await;
    let rita = Browser::of(&server, ("rita", CONSUMER), &[Role::Reader]).await;
    assert_eq!(rita.get("/portal/clients/rs256").await.status, 200);
    assert_eq!(rita.get("/portal/clients/new").await.status, 403);
    for path in ["/portal/clients/rs256/deactivate", "/portal/clients/rs256/scopes"] {
        let reply = rita.post("/portal/clients", path, &[("scope", "test:write")]).await;
        assert_eq!(reply.status, 403, "{path}: {}", reply.text());
    }
    let per = Browser::of(&server, ("per", SUPPLIER), &[Role::Consumer]).await;
    for path in ["", "/keys", "/scopes", "/try", "/refusals", "/history", "/ready", "/edit"] {
        let reply = per.get(&format!("/portal/clients/rs256{path}")).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
    let reply = per.post("/portal/clients", "/portal/clients/rs256/restore", &[]).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn a_client_in_use_is_deactivated_by_its_name_and_restored() {
    let server = AdminServer::start().await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    assert!(server.server.ask(&caller("rs512").assertion()).await.token().is_some());
    let path = "/portal/clients/rs512/deactivate";
    let began = tick();
    // Last uses are written some seconds later.
    while !html(&kari.get(path).await).contains("Type rs512 to confirm") {
        assert!(began.elapsed() < Duration::from_secs(90), "the use is not known");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let version = hidden(&kari.get(path).await, "version").unwrap();
    let wrong = kari.post(path, path, &[("version", &version), ("confirm", "rs51")]).await;
    assert_eq!(wrong.status, 422);
    location(&kari.post(path, path, &[("version", &version), ("confirm", "rs512")]).await);
    assert!(server.server.ask(&caller("rs512").assertion()).await.token().is_none());
    let restore = "/portal/clients/rs512/restore";
    location(&kari.post("/portal/clients/rs512", restore, &[]).await);
    assert!(server.server.ask(&caller("rs512").assertion()).await.token().is_some());
    let log = html(&kari.get("/portal/clients/rs512/history").await);
    assert!(log.contains("Deactivated") && log.contains("Restored") && log.contains("kari@"));
}

#[tokio::test]
async fn scopes_are_put_on_and_taken_off_one_at_a_time() {
    let server = AdminServer::start().await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let path = "/portal/clients/certificate/scopes";
    let version = hidden(&kari.get(path).await, "version").unwrap();
    let remove = [("version", version.as_str()), ("remove", "test:write")];
    location(&kari.post(path, path, &remove).await);
    assert_eq!(kari.post(path, path, &remove).await.status, 422, "the version is over");
    let version = hidden(&kari.get(path).await, "version").unwrap();
    let add = [("version", version.as_str()), ("scope", "test:write")];
    location(&kari.post(path, path, &add).await);
    let refused = kari.post(path, path, &[("scope", "test:nowhere")]).await;
    assert_eq!(refused.status, 422);
}

#[tokio::test]
async fn access_is_asked_for_once_and_seen_until_it_is_answered() {
    let server = AdminServer::start().await;
    let siri = Browser::of(&server, ("siri", SUPPLIER), &[Role::Consumer]).await;
    let found = html(&siri.get("/portal/callable?q=test%3Awrite").await);
    assert!(found.contains("/portal/callable/ask?scope=test%3Awrite"), "{found}");
    let path = "/portal/callable/ask?scope=test%3Awrite";
    let fields = [("scope", "test:write"), ("message", "please <b>")];
    let next = location(&siri.post(path, "/portal/callable/ask", &fields).await);
    let waiting = html(&siri.get(&next).await);
    assert!(waiting.contains("test:write") && waiting.contains("please &#60;b&#62;"), "{waiting}");
    assert!(html(&siri.get(path).await).contains("You have asked already."));
    let denied = html(&siri.get("/portal/callable?show=denied").await);
    assert!(denied.contains("test:read"), "{denied}");
    let open = html(&siri.get("/portal/callable?show=open").await);
    assert!(open.contains("test:open") && !open.contains("test:write"), "{open}");
    let delegated = html(&siri.get("/portal/callable?show=delegated").await);
    assert!(delegated.contains("test:delegated") && delegated.contains(CONSUMER), "{delegated}");
}

#[tokio::test]
async fn a_delegation_is_given_to_a_day_and_withdrawn() {
    let server = AdminServer::start().await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let (from, to) = ("/portal/delegations/new", "/portal/delegations");
    let own = [("supplier", CONSUMER), ("scope", "test:delegated")];
    assert_eq!(kari.post(from, to, &own).await.status, 422);
    let closed = [("supplier", PROVIDER), ("scope", "test:read")];
    let reply = kari.post(from, to, &closed).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    let past = [("supplier", PROVIDER), ("scope", "test:delegated"), ("to", "2001-01-01")];
    assert_eq!(kari.post(from, to, &past).await.status, 422);
    let good = [("supplier", PROVIDER), ("scope", "test:delegated"), ("to", "2099-12-31")];
    location(&kari.post(from, to, &good).await);
    let list = html(&kari.get(to).await);
    assert!(list.contains(PROVIDER) && list.contains(">31 Dec 2099<"), "{list}");
    let path = format!("/portal/delegations/withdraw?supplier={PROVIDER}&scope=test%3Adelegated");
    let version = hidden(&kari.get(&path).await, "version").unwrap();
    let fields = [("supplier", PROVIDER), ("scope", "test:delegated"), ("version", &version)];
    location(&kari.post(&path, "/portal/delegations/withdraw", &fields).await);
    assert!(html(&kari.get(&path).await).contains("has been withdrawn already"));
    let other = Browser::of(&server, ("per", PROVIDER), &[Role::Consumer]).await;
    let received = html(&other.get("/portal/delegations?show=received").await);
    assert!(received.contains("Withdrawn") && received.contains(CONSUMER), "{received}");
}

#[tokio::test]
async fn a_refusal_is_explained_to_the_owner_of_the_client_alone() {
    let server = AdminServer::start().await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let wrong = caller("es256").draft().claim("aud", "https://<wrong>.example/").sign();
    let reply = server.server.ask(&wrong).await;
    let trace_id = reply.header("trace-id").unwrap().to_owned();
    let path = format!("/portal/refusals/{trace_id}");
    let began = tick();
    let page = loop {
        let page = kari.get(&path).await;
        if page.status == 200 {
            break html(&page);
        }
        assert!(began.elapsed() < PATIENCE, "no record: {}", page.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(page.contains("MP-110") && page.contains("We expected"), "{page}");
    assert!(
        page.contains("https://&#60;wrong&#62;.example/") && !page.contains("<wrong>"),
        "{page}"
    );
    assert_eq!(page.matches("class=\"pass\"").count(), 5, "{page}");
    assert_eq!(page.matches("class=\"fail\"").count(), 1, "{page}");
    let list = html(&kari.get("/portal/clients/es256/refusals").await);
    assert!(list.contains(&trace_id), "{list}");
    let found = kari.get(&format!("/portal/refusals?trace_id={trace_id}")).await;
    assert_eq!(location(&found), path);
    let siri = Browser::of(&server, ("siri", SUPPLIER), &[Role::Consumer]).await;
    assert_eq!(siri.get(&path).await.status, 404);
}

#[tokio::test]
async fn code_asks_for_what_can_be_had_and_a_supplier_is_told_of_consumer_org() {
    let server = AdminServer::start().await;
    let siri = Browser::of(&server, ("siri", SUPPLIER), &[Role::Consumer]).await;
    let own = html(&siri.get("/portal/clients/supplier/ready").await);
    let code = |page: &str| page.split("id=\"c-python\"").nth(1).unwrap()[..1_500].to_owned();
    let scopes = "&#34;scope&#34;: &#34;test:open&#34;";
    assert!(code(&own).contains(scopes) && !own.contains("consumer_org"), "{own}");
    assert!(own.contains("These scopes are on the client and not in the code"), "{own}");
    let page = format!("/portal/clients/supplier/ready?customer={CONSUMER}");
    let for_customer = html(&siri.get(&page).await);
    let python = code(&for_customer);
    for part in [
        "&#34;scope&#34;: &#34;test:delegated&#34;".to_owned(),
        format!("&#34;consumer_org&#34;: &#34;{CONSUMER}&#34;"),
    ] {
        assert!(python.contains(&part), "{part}: {python}");
    }
    // Nobody but those who have delegated.
    let stranger = format!("/portal/clients/supplier/ready?customer={PROVIDER}");
    assert!(!html(&siri.get(&stranger).await).contains("consumer_org"));

    let without = caller("supplier").draft().claim("scope", "test:delegated");
    let refused = server.server.ask(&without.anew().sign()).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    server.server.app.recorder.finish().await;
    let refusal = format!("/portal/refusals/{}", refused.header("trace-id").unwrap());
    let page = html(&siri.get(&refusal).await);
    assert!(page.contains("Set consumer_org in the JWT") && page.contains(CONSUMER), "{page}");
    assert!(!page.contains("/portal/callable/ask"), "asking for access does not help: {page}");
    let with = caller("supplier").draft().claim("scope", "test:delegated");
    let given = server.server.ask(&with.claim("consumer_org", CONSUMER).anew().sign()).await;
    assert!(given.token().is_some(), "{}", given.text());

    let tab = html(&siri.get("/portal/clients/supplier/scopes").await);
    for state in ["Open to all", "Delegated", "Denied", "Deactivated", "For logging in only"] {
        assert!(tab.contains(state), "{state}: {tab}");
    }
    // A scope is put on a client that is there, too.
    let callable = html(&siri.get("/portal/callable?show=delegated").await);
    let add = "/portal/clients?add=test%3Adelegated&amp;show=delegable";
    assert!(callable.contains(add), "{callable}");
    let choose = html(&siri.get(&add.replace("&amp;", "&")).await);
    let link = "/portal/clients/supplier/scopes?show=delegable&amp;q=test%3Adelegated#scope";
    assert!(choose.contains(link), "{choose}");
    let wizard = format!("/portal/clients/new/scopes?name=n&customer={CONSUMER}");
    let wizard = html(&siri.get(&wizard).await);
    assert!(wizard.contains("uses the accesses of your own organization"), "{wizard}");
    assert!(!wizard.contains("value=\"delegable\""), "{wizard}");
}

#[tokio::test]
async fn clients_are_listed_by_name_and_found_however_it_is_written() {
    let server = AdminServer::start().await;
    let registry = &server.server.app.registry;
    let number = PROVIDER.parse().unwrap();
    for (id, name) in [("aaa", "\u{c6}RLIG B\u{c6}RUM"), ("bbb", "Alta"), ("ccc", "Moss")] {
        let client = NewClient { id: Some(id.parse().unwrap()), ..NewClient::new(number, name) };
        registry.register_client(&actor(), client).await.unwrap();
    }
    let per = Browser::of(&server, ("per", PROVIDER), &[Role::Provider]).await;
    let page = html(&per.get("/portal/clients").await);
    let place = |name: &str| page.find(name).unwrap_or_else(|| panic!("{name}: {page}"));
    assert!(place(">Alta<") < place(">Moss<") && place(">Moss<") < place("B\u{c6}RUM"));
    for text in ["b%C3%A6rum", "B%C3%A6rum", "B%C3%86RUM", "%C3%A6rlig"] {
        let found = html(&per.get(&format!("/portal/clients?q={text}")).await);
        assert!(found.contains("B\u{c6}RUM") && !found.contains(">Alta<"), "{text}: {found}");
    }
}

#[tokio::test]
async fn names_hide_nothing_and_lists_go_on_where_they_stopped() {
    let server = AdminServer::start().await;
    let registry = &server.server.app.registry;
    let number = PROVIDER.parse().unwrap();
    for index in 0..51 {
        let name = "<script>alert(1)</script>\u{200b}";
        let id = format!("many-{index:03}").parse().unwrap();
        let client = NewClient { id: Some(id), ..NewClient::new(number, name) };
        registry.register_client(&actor(), client).await.unwrap();
    }
    let per = Browser::of(&server, ("per", PROVIDER), &[Role::Provider]).await;
    let first = html(&per.get("/portal/clients?q=many").await);
    assert!(first.contains("[U+200B]") && !first.contains("<script>alert"), "{first}");
    assert!(first.contains("many-049") && !first.contains("many-050"), "{first}");
    let (_, rest) = first.split_once("after=").unwrap();
    let after = rest.split('"').next().unwrap();
    let second = html(&per.get(&format!("/portal/clients?q=many&after={after}")).await);
    let link = |id: &str| second.contains(&format!("href=\"/portal/clients/{id}\""));
    assert!(link("many-050") && !link("many-049"), "{second}");
}

#[tokio::test]
async fn only_pages_of_the_portal_may_read_what_the_token_endpoint_answers() {
    let ask = async |server: &AdminServer, origin: &str| {
        let body = form(&caller("es256").assertion());
        let headers = [("Content-Type", FORM), ("Origin", origin)];
        let request = request("POST /token", &headers, body.as_bytes());
        exchange(server.server.address, &request).await.unwrap()
    };
    let known = AdminServer::with("").await;
    // The issuer of the tests is no loopback address, and nothing says where the portal is.
    for origin in ["https://evil.example", "null", "http://127.0.0.1:7081", ISSUER] {
        let reply = ask(&known, origin).await;
        assert_eq!(reply.header("access-control-allow-origin"), None, "{origin}: {}", reply.text());
    }
    let preflight = [
        ("Origin", "https://evil.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization"),
    ];
    let preflight = request("OPTIONS /token", &preflight, b"");
    let reply = exchange(known.server.address, &preflight).await.unwrap();
    assert_eq!(reply.header("access-control-allow-origin"), None, "{}", reply.text());
}

#[tokio::test]
async fn a_test_server_knows_where_its_portal_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("dev");
    let ports = free_ports();
    let dev = Dev::start(&folder, ports, &[]);
    let written = std::fs::read_to_string(folder.join("portvakt.toml")).unwrap();
    let portal = format!("http://127.0.0.1:{}", ports[1]);
    assert!(written.contains(&format!("admin_url = \"{portal}/\"")), "{written}");
    let address = format!("127.0.0.1:{}", ports[0]).parse().unwrap();
    for (origin, allowed) in [
        (portal.as_str(), true),
        ("http://localhost:3000", true),
        ("https://evil.example", false),
        ("http://localhost.evil.example", false),
    ] {
        let headers = [("Content-Type", FORM), ("Origin", origin)];
        let request = request("POST /dev/token", &headers, b"grant_type=x");
        let reply = exchange(address, &request).await.unwrap();
        let read = reply.header("access-control-allow-origin");
        assert_eq!(read, allowed.then_some(origin), "{}", reply.text());
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        assert_eq!(reply.text().to_lowercase().contains("vary: origin"), allowed);
    }
    dev.stop();
}
