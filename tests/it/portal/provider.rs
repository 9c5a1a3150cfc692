//! The provider's pages: by forms alone, for nobody else, and with nothing changed by looking.

use portvakt::clock::Timestamp;
use portvakt::domain::access::AccessState;
use portvakt::domain::audit::AuditFilter;
use portvakt::domain::record::Expected;
use portvakt::domain::right::{Right, Rights};
use portvakt::domain::scope::{OutagePolicy, Scope, ScopeStatus};
use portvakt::domain::user::Role;
use portvakt::registry::{AccessTerms, Actor, RegistryError};

use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, hidden, html};
use crate::harness::postgres;
use crate::harness::server::actor;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

/// The pages of a scope that everybody there has granted to them.
const SCOPE: &str = "/portal/scopes/test%3Aread";

/// A number that fits no organization of a test server.
const STRANGER: &str = "310000132";

/// Those of one that nobody has access to.
const CLOSED: &str = "/portal/scopes/test%3Aclosed";

async fn newest_act(server: &AdminServer) -> i64 {
    let rows =
        server.server.app.registry.audit_rows(&actor(), AuditFilter::default(), None, 1).await;
    rows.unwrap().items[0].seq
}

/// How the access of an organization to a scope stands.
async fn state(server: &AdminServer, scope: &str, consumer: &str) -> Option<AccessState> {
    let (scope, consumer) = (scope.parse().unwrap(), consumer.parse().unwrap());
    let found = server.server.app.registry.access(&actor(), &scope, consumer).await.ok()?;
    Some(found.value.access.state)
}

#[tokio::test]
async fn only_the_owner_sees_a_scope_and_only_a_provider_changes_it() {
    let server = AdminServer::start().await;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let reader = Browser::of(&server, ("liv", PROVIDER), &[Role::Reader]).await;
    let stranger = Browser::of(&server, ("kari", CONSUMER), &[Role::Provider]).await;
    let before = newest_act(&server).await;
    let access = format!("{SCOPE}/accesses/{CONSUMER}");
    let seen = ["", "/about", "/requests", "/usage", "/history", "/accesses/export"];
    let seen = seen.map(|end| format!("{SCOPE}{end}"));
    for page in seen.iter().chain([&access]) {
        for who in [&provider, &reader] {
            let shown = who.get(page).await;
            assert_eq!(shown.status, 200, "{page}: {}", shown.text());
        }
        assert_eq!(stranger.get(page).await.status, 404, "{page}");
    }
    let forms = ["/edit", "/deactivate", "/accesses/new", "/accesses/batch"];
    let forms = forms.map(|end| format!("{SCOPE}{end}"));
    let withdraw = format!("{access}/withdraw");
    for page in forms.iter().chain([&withdraw]) {
        assert_eq!(provider.get(page).await.status, 200, "{page}");
        assert_eq!(reader.get(page).await.status, 403, "{page}");
        assert!(matches!(stranger.get(page).await.status, 403 | 404), "{page}");
    }
    for page in ["/portal/scopes?q=read&prefix=test", "/portal/requests", "/portal/prefixes"] {
        assert_eq!(reader.get(page).await.status, 200, "{page}");
    }
    assert!(!html(&stranger.get("/portal/scopes?status=all").await).contains("test:read"));
    assert_eq!(newest_act(&server).await, before, "looking has changed something");
    assert_eq!(reader.post(SCOPE, &withdraw, &[]).await.status, 403);
    assert_eq!(stranger.post("/portal", &withdraw, &[]).await.status, 404);
    assert_eq!(state(&server, "test:read", CONSUMER).await, Some(AccessState::Approved));
}

#[tokio::test]
async fn a_scope_is_made_and_changed_by_forms_that_keep_what_was_typed() {
    let server = AdminServer::start().await;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let new = "/portal/scopes/new";
    let wrong = [("prefix", "test"), ("subscope", "<b>x y"), ("lifetime", "soon")];
    let again = provider.post(new, new, &wrong).await;
    let said = html(&again);
    assert_eq!(again.status, 422);
    for part in ["#subscope", "#description", "#visibility", "#lifetime", "&#60;b&#62;x y"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("<b>x"), "what was typed has become markup");
    let mut right = vec![
        ("prefix", "test"),
        ("subscope", "roads/read"),
        ("description", "<i>Roads</i>\u{200b}"),
        ("visibility", "PRIVATE"),
        ("access", "granted"),
    ];
    let made = provider.post(new, new, &right).await;
    assert_eq!(made.status, 303, "{}", made.text());
    let page = "/portal/scopes/test%3Aroads%2Fread";
    let shown = html(&provider.get(page).await);
    assert!(shown.contains("&#60;i&#62;Roads&#60;/i&#62;[U+200B]"), "{shown}");
    assert_eq!(provider.post(new, new, &right).await.status, 422, "the name is taken");
    right[0].1 = "nobodys";
    assert_eq!(provider.post(new, new, &right).await.status, 422);

    let edit = format!("{page}/edit");
    let version = hidden(&provider.get(&edit).await, "version").unwrap();
    let typed =
        |text| [("version", version.as_str()), ("description", text), ("visibility", "PUBLIC")];
    assert_eq!(provider.post(&edit, &edit, &typed("One")).await.status, 303);
    let late = provider.post(&edit, &edit, &typed("Two")).await;
    let said = html(&late);
    assert_eq!(late.status, 422);
    assert!(said.contains(">One</textarea>") && !said.contains(">Two</textarea>"), "{said}");
    assert!(said.contains("This is what you wrote:") && said.contains("Two"), "{said}");
    assert_ne!(hidden(&late, "version").unwrap(), version);
    assert!(html(&provider.get(&format!("{page}/history")).await).contains("Changed"));
}

#[tokio::test]
async fn what_happens_in_an_outage_is_chosen_where_that_is_a_choice_and_kept_where_it_is_not() {
    const EDIT: &str = "/portal/scopes/test%3Aclosed/edit";
    let policy = async |server: &AdminServer| {
        let (registry, name) = (&server.server.app.registry, "test:closed".parse().unwrap());
        registry.scope(&actor(), &name).await.unwrap().value.outage_policy
    };
    // A file is never away.
    for (rules, is_choice) in
        [("", false), ("[outage]\nissue_seconds_max = 90\n", postgres::cluster().is_some())]
    {
        let server = AdminServer::with(rules).await;
        let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
        let shown = html(&provider.get(EDIT).await);
        assert_eq!(shown.contains(r#"type="checkbox" name="outage""#), is_choice, "{shown}");
        assert_eq!(shown.contains("for 2 minutes at most"), is_choice, "{shown}");
        let version = hidden(&provider.get(EDIT).await, "version").unwrap();
        let mut typed = vec![
            ("version", version.as_str()),
            ("description", "Closed"),
            ("visibility", "PUBLIC"),
            ("outage", "issued"),
        ];
        assert_eq!(provider.post(EDIT, EDIT, &typed).await.status, 303);
        assert_eq!(policy(&server).await, OutagePolicy::Issue);
        // Where there is no choice, the form brings along what was chosen.
        let shown = html(&provider.get(EDIT).await);
        assert_eq!(shown.contains(r#"type="hidden" name="outage""#), !is_choice, "{shown}");
        let about = html(&provider.get("/portal/scopes/test%3Aclosed/about").await);
        assert!(about.contains("In an outage"), "{about}");
        let version = hidden(&provider.get(EDIT).await, "version").unwrap();
        typed[0].1 = &version;
        typed.pop();
        assert_eq!(provider.post(EDIT, EDIT, &typed).await.status, 303);
        assert_eq!(policy(&server).await, OutagePolicy::Refuse);
    }
}

#[tokio::test]
async fn access_is_given_changed_and_withdrawn_with_a_reason() {
    let server = AdminServer::start().await;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let new = format!("{CLOSED}/accesses/new");
    for (number, expires, field) in [
        ("310000117", "", "#number"),
        (CONSUMER, "2020-01-01", "#expires"),
        (CONSUMER, "x", "#expires"),
    ] {
        let again = provider.post(&new, &new, &[("number", number), ("expires", expires)]).await;
        assert_eq!(again.status, 422, "{number} {expires}");
        assert!(html(&again).contains(&format!("href=\"{field}\"")), "{number} {expires}");
    }
    let given = [("number", "310 000 116"), ("expires", "2099-06-30"), ("note", "<u>A-114")];
    assert_eq!(provider.post(&new, &new, &given).await.status, 303);
    assert_eq!(state(&server, "test:closed", CONSUMER).await, Some(AccessState::Approved));
    let shown = html(&provider.get(&format!("{CLOSED}?q={CONSUMER}")).await);
    assert!(shown.contains("30 Jun 2099") && shown.contains("&#60;u&#62;A-114"), "{shown}");
    assert_eq!(provider.post(&new, &new, &given).await.status, 422, "it is there already");

    let one = format!("{CLOSED}/accesses/{CONSUMER}");
    let form = provider.get(&one).await;
    assert!(html(&form).contains("value=\"2099-06-30\""));
    let version = hidden(&form, "version").unwrap();
    let change = [("version", version.as_str()), ("expires", ""), ("note", "B")];
    assert_eq!(provider.post(&one, &one, &change).await.status, 303);
    let late = [("version", version.as_str()), ("expires", ""), ("note", "<u>C")];
    let stale = provider.post(&one, &one, &late).await;
    assert_eq!(stale.status, 422);
    let said = html(&stale);
    // What is there now stands in the form, and what was typed beside it.
    for part in
        ["Somebody has changed this since", "This is what you wrote:", "&#60;u&#62;C", ">B</t"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }

    let withdraw = format!("{one}/withdraw");
    let version = hidden(&provider.get(&withdraw).await, "version").unwrap();
    let reason = [("version", version.as_str()), ("reason", "The agreement has ended")];
    assert_eq!(provider.post(&withdraw, &withdraw, &reason).await.status, 303);
    assert_eq!(state(&server, "test:closed", CONSUMER).await, Some(AccessState::Denied));
    assert!(html(&provider.get(&one).await).contains("The agreement has ended"));

    // The log of the scope tells of its accesses, and that of another scope does not.
    let log = html(&provider.get(&format!("{CLOSED}/history")).await);
    assert!(log.contains("Granted access") && log.contains("Withdrew access"), "{log}");
    assert!(!log.contains("test:read"), "{log}");
    let seq = newest_act(&server).await;
    assert_eq!(provider.get(&format!("{CLOSED}/history/{seq}")).await.status, 200);
    assert_eq!(provider.get(&format!("{SCOPE}/history/{seq}")).await.status, 404);
}

#[tokio::test]
async fn nobody_gets_access_by_a_slip_of_the_keys() {
    let server = AdminServer::start().await;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let new = format!("{CLOSED}/accesses/new");
    let asked = provider.post(&new, &new, &[("number", STRANGER)]).await;
    assert_eq!(asked.status, 422);
    let said = html(&asked);
    assert!(said.contains("No organization of that number") && said.contains("name=\"unknown\""));
    assert_eq!(state(&server, "test:closed", STRANGER).await, None);
    let sure = [("number", STRANGER), ("unknown", "1")];
    assert_eq!(provider.post(&new, &new, &sure).await.status, 303);
    assert_eq!(state(&server, "test:closed", STRANGER).await, Some(AccessState::Approved));
}

#[tokio::test]
async fn what_was_agreed_outlives_a_withdrawal() {
    let server = AdminServer::start().await;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let registry = &server.server.app.registry;
    let (scope, number) = ("test:closed".parse().unwrap(), CONSUMER.parse().unwrap());
    let end = Timestamp::from_rfc3339("2099-06-30T00:00:00Z");
    let terms = AccessTerms { expires_at: end, note: Some("A-114".to_owned()) };
    let granted = registry.grant_access(&actor(), &scope, number, terms, Expected::Anything).await;
    granted.unwrap();
    registry.withdraw_access(&actor(), &scope, number, None, None).await.unwrap();
    let again = html(&provider.get(&format!("{CLOSED}/accesses/{CONSUMER}")).await);
    assert!(
        again.contains("value=\"2099-06-30\"") && again.contains(">A-114</textarea>"),
        "{again}"
    );
    registry.request_access(&actor(), &scope, number, None).await.unwrap();
    let one = format!("{CLOSED}/requests/{CONSUMER}");
    let form = html(&provider.get(&one).await);
    assert!(form.contains("value=\"2099-06-30\"") && form.contains(">A-114</textarea>"), "{form}");
    // The button in the list says nothing about either.
    let approved = provider.post("/portal/requests", &one, &[("approve", "1")]).await;
    assert_eq!(approved.status, 303);
    let kept = registry.access(&actor(), &scope, number).await.unwrap().value;
    assert_eq!((kept.access.expires_at, kept.note.as_deref()), (end, Some("A-114")));
}

#[tokio::test]
async fn what_is_asked_for_is_granted_or_denied_with_a_reason() {
    let server = AdminServer::start().await;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let registry = &server.server.app.registry;
    let (scope, message) = ("test:closed".parse().unwrap(), "<script>Please".to_owned());
    for consumer in [CONSUMER, SUPPLIER] {
        let number = consumer.parse().unwrap();
        registry.request_access(&actor(), &scope, number, Some(message.clone())).await.unwrap();
    }
    let inbox = html(&provider.get("/portal/requests").await);
    assert!(inbox.contains("&#60;script&#62;Please") && !inbox.contains("<script>P"), "{inbox}");
    let one = |consumer| format!("{CLOSED}/requests/{consumer}");
    let form = provider.get(&one(CONSUMER)).await;
    let version = hidden(&form, "version").unwrap();
    let deny = |reason| [("version", version.as_str()), ("deny", "1"), ("reason", reason)];
    // Nothing is decided without one of the two buttons.
    for buttons in [&[][..], &[("approve", "1"), ("deny", "1")]] {
        let fields = [&[("reason", "You have no legal basis")][..], buttons].concat();
        let reply = provider.post(&one(CONSUMER), &one(CONSUMER), &fields).await;
        assert!(reply.status == 422 && html(&reply).contains("Choose approve or deny"));
        assert_eq!(state(&server, "test:closed", CONSUMER).await, Some(AccessState::Requested));
    }
    assert_eq!(provider.post(&one(CONSUMER), &one(CONSUMER), &deny("")).await.status, 422);
    assert_eq!(state(&server, "test:closed", CONSUMER).await, Some(AccessState::Requested));
    assert_eq!(provider.post(&one(CONSUMER), &one(CONSUMER), &deny("No")).await.status, 303);
    assert_eq!(state(&server, "test:closed", CONSUMER).await, Some(AccessState::Denied));
    let approve = [("approve", "1"), ("note", "A-114")];
    assert_eq!(provider.post("/portal/requests", &one(SUPPLIER), &approve).await.status, 303);
    assert_eq!(state(&server, "test:closed", SUPPLIER).await, Some(AccessState::Approved));
    let inbox = html(&provider.get("/portal/requests").await);
    assert!(inbox.contains("Nobody waits for an answer"), "{inbox}");
}

#[tokio::test]
async fn a_batch_is_tried_first_keeps_what_is_there_and_goes_out_without_formulas() {
    let server = AdminServer::start().await;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let registry = &server.server.app.registry;
    let scope = "test:closed".parse().unwrap();
    let terms = AccessTerms { expires_at: None, note: Some("kept".to_owned()) };
    let consumer = CONSUMER.parse().unwrap();
    let server_itself = actor();
    let granted =
        registry.grant_access(&server_itself, &scope, consumer, terms, Expected::Anything);
    granted.await.unwrap();
    let before = newest_act(&server).await;
    let batch = format!("{CLOSED}/accesses/batch");
    let lines =
        format!("number;end;note\n{CONSUMER};;new note\n{SUPPLIER};2099-06-30;=1+1\n310000117\n");
    let tried = provider.post(&batch, &batch, &[("lines", &lines)]).await;
    let said = html(&tried);
    assert_eq!(tried.status, 200);
    for part in ["One gets access.", "One has access already.", "One line needs correction"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(newest_act(&server).await, before, "trying has changed something");
    let done = provider.post(&batch, &batch, &[("lines", &lines), ("confirm", "1")]).await;
    assert_eq!(done.status, 303);
    assert_eq!(state(&server, "test:closed", SUPPLIER).await, Some(AccessState::Approved));
    let kept = registry.access(&actor(), &scope, consumer).await.unwrap();
    assert_eq!(kept.value.note.as_deref(), Some("kept"));
    let file = html(&provider.get(&format!("{CLOSED}/accesses/export")).await);
    assert!(file.contains("\"'=1+1\"") && file.contains("\"kept\""), "{file}");
    let nothing = provider.post(&batch, &batch, &[("lines", " \n")]).await;
    assert_eq!(nothing.status, 422);
    let stranger = Browser::of(&server, ("kari", CONSUMER), &[Role::Provider]).await;
    assert_eq!(stranger.post("/portal", &batch, &[("lines", &lines)]).await.status, 404);
}

#[tokio::test]
async fn a_scope_in_use_is_closed_by_typing_its_name_and_opened_again() {
    let server = AdminServer::start().await;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let status = async || {
        let found = server.server.app.registry.scope(&actor(), &"test:read".parse().unwrap()).await;
        found.unwrap().value.status
    };
    let off = format!("{SCOPE}/deactivate");
    let form = provider.get(&off).await;
    assert!(html(&form).contains("The scope is in use"), "{}", html(&form));
    let version = hidden(&form, "version").unwrap();
    let typed = |confirm| [("version", version.as_str()), ("confirm", confirm)];
    assert_eq!(provider.post(&off, &off, &typed("test:write")).await.status, 422);
    assert_eq!(status().await, ScopeStatus::Active);
    assert_eq!(provider.post(&off, &off, &typed("test:read")).await.status, 303);
    assert_eq!(status().await, ScopeStatus::Deactivated);
    assert_eq!(provider.post(SCOPE, &format!("{SCOPE}/restore"), &[]).await.status, 303);
    assert_eq!(status().await, ScopeStatus::Active);
}

#[tokio::test]
async fn a_prefix_is_asked_for_and_the_answer_is_shown() {
    let server = AdminServer::start().await;
    let asking = Browser::of(&server, ("kari", CONSUMER), &[Role::Provider]).await;
    let empty = html(&asking.get("/portal/scopes").await);
    assert!(empty.contains("You have no prefix yet"), "{empty}");
    let new = "/portal/prefixes/new";
    let wrong = asking.post(new, new, &[("prefix", "Nope!"), ("reason", "<b>")]).await;
    assert_eq!(wrong.status, 422);
    assert!(html(&wrong).contains("&#60;b&#62;") && html(&wrong).contains("#prefix"));
    let taken = asking.post(new, new, &[("prefix", "test"), ("reason", "Tests")]).await;
    assert!(html(&taken).contains("prefix is assigned already"), "{}", html(&taken));
    assert_eq!(
        asking.post(new, new, &[("prefix", "roads:"), ("reason", "Roads")]).await.status,
        303
    );
    assert!(html(&asking.get("/portal/prefixes").await).contains("Waits for an answer"));
    let (prefix, number) = ("roads".parse().unwrap(), CONSUMER.parse().unwrap());
    let registry = &server.server.app.registry;
    let answer = Some("Which roads?".to_owned());
    registry.deny_prefix_request(&actor(), &prefix, number, answer, None).await.unwrap();
    assert!(html(&asking.get("/portal/prefixes").await).contains("Which roads?"));
}

#[tokio::test]
async fn a_provider_of_the_operators_organization_makes_no_scopes_of_this_servers_own() {
    let server = AdminServer::start().await;
    let registry = &server.server.app.registry;
    for prefix in ["portvakt", "idporten"] {
        let _ = registry
            .assign_prefix(&actor(), &prefix.parse().unwrap(), PROVIDER.parse().unwrap())
            .await;
        let scope = format!("{prefix}:evil").parse().unwrap();
        let scope = Scope::new(scope, PROVIDER.parse().unwrap(), "Evil");
        let provider = Actor {
            name: "ola".to_owned(),
            organization: Some(PROVIDER.parse().unwrap()),
            rights: Rights::new(&[Right::WriteScopes]),
            trace_id: None,
        };
        let refused = registry.define_scope(&provider, scope.clone()).await;
        assert!(matches!(refused, Err(RegistryError::Forbidden { .. })), "{refused:?}");
        registry.define_scope(&actor(), scope).await.unwrap();
    }
}
