//! Every role, and what it may decide about others.

use super::*;

/// What somebody can try to do to a user of the agency.
#[derive(Clone, Copy, Debug)]
enum Attempt {
    Give(Role),
    Deactivate,
    Invite,
    List,
}

const ATTEMPTS: [Attempt; 8] = [
    Attempt::Give(Role::Reader),
    Attempt::Give(Role::Provider),
    Attempt::Give(Role::Consumer),
    Attempt::Give(Role::Administrator),
    Attempt::Give(Role::Operator),
    Attempt::Deactivate,
    Attempt::Invite,
    Attempt::List,
];

/// Whether the attempt is made.
async fn attempt(fixture: &Fixture, actor: &Actor, what: Attempt, at: &User) -> bool {
    let registry = &fixture.registry;
    match what {
        Attempt::Give(role) => registry.set_roles(actor, &at.id, &[role], None).await.is_ok(),
        Attempt::Deactivate => registry.set_user_status(actor, &at.id, false, None).await.is_ok(),
        Attempt::Invite => {
            let email = format!("new-{}", at.email).parse().unwrap();
            let new = NewUser {
                email,
                name: "New".to_owned(),
                organization: at.organization,
                language: Language::Bokmal,
                roles: vec![Role::Reader],
            };
            registry.invite(actor, new).await.is_ok()
        }
        Attempt::List => {
            let filter = crate::store::UserFilter {
                organization: Some(at.organization),
                ..crate::store::UserFilter::default()
            };
            registry.users(actor, filter, 10).await.is_ok()
        }
    }
}

/// Someone with these roles, signed in.
async fn somebody(fixture: &Fixture, email: &str, roles: &[Role]) -> Actor {
    fixture.user(email, roles).await;
    let token = fixture.token(email).await;
    fixture.session(&token).await.unwrap().actor(None)
}

#[tokio::test]
async fn every_role_decides_what_it_may_and_nothing_else() {
    use Attempt::{Deactivate, Give, Invite, List};
    let fixture = fixture().await;
    let mut people = Vec::new();
    for (name, role) in [
        ("nobody", None),
        ("reader", Some(Role::Reader)),
        ("provider", Some(Role::Provider)),
        ("consumer", Some(Role::Consumer)),
        ("administrator", Some(Role::Administrator)),
    ] {
        let roles: Vec<Role> = role.into_iter().collect();
        let actor = somebody(&fixture, &format!("{name}@agency.example"), &roles).await;
        people.push((name, actor));
    }
    let foreign = somebody(&fixture, "a@operator.example", &[Role::Administrator]).await;
    people.push(("foreign administrator", foreign));
    people.push(("operator", somebody(&fixture, "o@operator.example", &[Role::Operator]).await));
    for (at, (name, actor)) in people.iter().enumerate() {
        for (nth, what) in ATTEMPTS.into_iter().enumerate() {
            let target = fixture.user(&format!("t{at}-{nth}@agency.example"), &[]).await;
            let expected = match (*name, what) {
                // Only the operator's own users operate, whoever says otherwise.
                (_, Give(Role::Operator)) | ("administrator", Give(Role::Administrator)) => false,
                ("operator", _) | ("administrator", Give(_) | Deactivate | Invite | List) => true,
                _ => false,
            };
            let made = attempt(&fixture, actor, what, &target).await;
            assert_eq!(made, expected, "{name}: {what:?}");
        }
    }
}

#[tokio::test]
async fn nobody_decides_about_themselves_and_an_administrator_about_no_other() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let one = fixture.user("one@agency.example", &[Role::Administrator]).await;
    let two = fixture.user("two@agency.example", &[Role::Administrator]).await;
    let token = fixture.token("one@agency.example").await;
    let actor = fixture.session(&token).await.unwrap().actor(None);
    let own = [Role::Administrator, Role::Provider];
    let itself = registry.set_roles(&actor, &one.id, &own, None).await;
    assert!(matches!(itself, Err(RegistryError::Conflict { .. })), "{itself:?}");
    let off = registry.set_user_status(&actor, &one.id, false, None).await;
    assert!(off.is_err());
    let other = registry.set_roles(&actor, &two.id, &[], None).await;
    assert!(matches!(other, Err(RegistryError::Forbidden { needed: Right::Operate })));
    let other = registry.set_user_status(&actor, &two.id, false, None).await;
    assert!(matches!(other, Err(RegistryError::Forbidden { needed: Right::Operate })));
    // What the other does beside is an administrator's to say.
    assert!(registry.set_roles(&actor, &two.id, &own, None).await.is_ok());
}

#[tokio::test]
async fn somebody_always_operates() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let one = fixture.user("one@operator.example", &[Role::Operator]).await;
    let token = fixture.token("one@operator.example").await;
    let actor = fixture.session(&token).await.unwrap().actor(None);
    let last = registry.set_roles(&actor, &one.id, &[], None).await;
    assert!(matches!(last, Err(RegistryError::Conflict { .. })), "{last:?}");
    let machine = Actor { name: "client".to_owned(), ..actor.clone() };
    assert!(registry.set_user_status(&machine, &one.id, false, None).await.is_err());
    let two = fixture.user("two@operator.example", &[Role::Operator]).await;
    registry.set_roles(&actor, &one.id, &[], None).await.unwrap();
    assert!(registry.set_roles(&machine, &two.id, &[], None).await.is_err());
}

#[tokio::test]
async fn a_role_in_the_table_makes_no_operator_of_another_organization() {
    let fixture = fixture_with(|rules| rules.operator = Some(AGENCY.parse().unwrap())).await;
    let user = fixture.user("kari@agency.example", &[Role::Operator]).await;
    // The operator is another one since.
    let mut registry = fixture.registry.clone();
    registry.rules.people.operator = Some(OPERATOR.parse().unwrap());
    let token = fixture.token("kari@agency.example").await;
    let session = registry.session(&token).await.unwrap().unwrap();
    assert!(user.roles.contains(&Role::Operator) && !session.rights.operate());
}

#[tokio::test]
async fn who_needs_a_role_is_told_whom_to_ask() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    fixture.user("oda@operator.example", &[Role::Operator]).await;
    let token = fixture.token("kari@agency.example").await;
    let session = fixture.session(&token).await.unwrap();
    let asked = |users: Vec<User>| users.iter().map(|it| it.email.to_string()).collect::<Vec<_>>();
    let named = fixture.registry.whom_to_ask(&session).await.unwrap();
    assert_eq!(asked(named), ["oda@operator.example"]);
    let admin = fixture.user("admin@agency.example", &[Role::Administrator]).await;
    let named = fixture.registry.whom_to_ask(&session).await.unwrap();
    assert_eq!(asked(named), ["admin@agency.example"]);
    fixture.registry.set_user_status(&server(), &admin.id, false, None).await.unwrap();
    let named = fixture.registry.whom_to_ask(&session).await.unwrap();
    assert_eq!(asked(named), ["oda@operator.example"]);
}

#[tokio::test]
async fn users_of_others_look_as_if_they_were_not_there() {
    let fixture = fixture().await;
    let theirs = fixture.user("oda@operator.example", &[]).await;
    let actor = Actor {
        name: "admin@agency.example".to_owned(),
        organization: Some(AGENCY.parse().unwrap()),
        rights: Rights::new(&[Right::ManageUsers]),
        trace_id: None,
    };
    let looked = fixture.registry.user(&actor, &theirs.id).await;
    assert!(matches!(looked, Err(RegistryError::Absent { noun: "user" })));
    let nobody = crate::domain::user::UserId::from_uuid([9; 16]);
    let set = fixture.registry.set_roles(&actor, &nobody, &[], None).await;
    assert!(matches!(set, Err(RegistryError::Absent { noun: "user" })));
}
