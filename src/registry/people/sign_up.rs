//! Signing up, and asking for another password: what somebody does whom we do not know.
//!
//! The answer is the same whether or not the address is registered; the difference goes to its holder by mail. So many
//! mails go to one address, and so many people of one organization can wait for theirs, that neither is of use to
//! anybody who means ill.

use serde_json::json;

use crate::domain::email_address::EmailAddress;
use crate::domain::language::Language;
use crate::domain::organization::{Organization, OrganizationStatus};
use crate::domain::sign_in::LinkPurpose;
use crate::domain::user::{User, UserId, UserStatus};
use crate::registry::change::Change;
use crate::registry::people::mails::{NotYou, Occasion};
use crate::registry::people::{PeopleError, on_user, themselves};
use crate::registry::rules::check_needed_line;
use crate::registry::{Registry, RegistryError, views};
use crate::store::{Transaction, UserFile};

/// Seconds between two mails to one address that nobody who is signed in has asked for.
const MAIL_PAUSE_SECONDS: i64 = 5 * 60;

/// People of one organization who have signed up and have not followed their link, at most. Whoever comes then takes the
/// place of the one who came first: somebody who signs up many must not keep others out.
const UNCONFIRMED_MAX: i64 = 200;

/// Seconds after which they are forgotten: a week.
const UNCONFIRMED_SECONDS: i64 = 7 * 24 * 60 * 60;

impl Registry {
    /// Registers a person under their address, whose domain tells the organization, and mails them a link with which
    /// they confirm it and choose a password.
    pub async fn sign_up(
        &self,
        email: &EmailAddress,
        name: &str,
        language: Language,
        trace_id: Option<&str>,
    ) -> Result<(), PeopleError> {
        self.check_links_are_mailed()?;
        check_needed_line("name", name)?;
        let mut transaction = self.store.begin().await?;
        let organization = organization_of(&mut transaction, email).await?;
        let known = transaction.user_by_email(email).await?;
        drop(transaction);
        if let Some(file) = known {
            return self.remind(file, NotYou::Registered, trace_id).await;
        }
        let user = User {
            id: new_user_id(self),
            email: email.clone(),
            name: name.to_owned(),
            organization: organization.number,
            language,
            status: UserStatus::Unconfirmed,
            roles: Vec::new(),
        };
        let actor = themselves(&user, trace_id);
        let mut change = self.begin_own(&actor, on_user("sign up", email)).await?;
        let now = change.now;
        change.transaction.forget_unconfirmed(now.minus_seconds(UNCONFIRMED_SECONDS)).await?;
        let forgotten =
            change.transaction.forget_oldest_unconfirmed(user.organization, UNCONFIRMED_MAX - 1);
        if forgotten.await? > 0 {
            tracing::warn!(
                organization = user.organization.as_str(),
                "many have signed up for the organization without confirming; the first of them are forgotten"
            );
        }
        change.transaction.insert_user(&user, now).await?;
        self.mail_link(&mut change, &user, LinkPurpose::Confirm).await?;
        Ok(change.finish(None, Some(views::user(&user))).await?)
    }

    /// Mails a person a link with which they choose another password. Whether there is such a person stays between
    /// them and us.
    pub async fn ask_for_reset(
        &self,
        email: &EmailAddress,
        trace_id: Option<&str>,
    ) -> Result<(), PeopleError> {
        self.check_links_are_mailed()?;
        match self.store.user_by_email(email).await? {
            Some(file) => self.remind(file, NotYou::NoPassword, trace_id).await,
            None => self.take_as_long(email).await,
        }
    }

    /// Holds that people get passwords here, and links to choose them.
    fn check_links_are_mailed(&self) -> Result<(), PeopleError> {
        if !self.rules.people.sign_in.password() {
            return Err(PeopleError::Way);
        }
        if self.sends_mail() { Ok(()) } else { Err(RegistryError::NoMail.into()) }
    }

    /// Mails a person whom we know what they can do: follow a link, or nothing. `or_else` is what they are told who
    /// need none.
    async fn remind(
        &self,
        file: UserFile,
        or_else: NotYou,
        trace_id: Option<&str>,
    ) -> Result<(), PeopleError> {
        let user = file.user.value;
        let actor = themselves(&user, trace_id);
        let mut change = self.begin_own(&actor, on_user("ask for a link", &user.email)).await?;
        if change.now < file.mailed_at.plus_seconds(MAIL_PAUSE_SECONDS) {
            drop(change);
            return self.take_as_long(&user.email).await;
        }
        let has_password = file.proofs.password_hash.is_some();
        let link = match (user.status, or_else) {
            (UserStatus::Unconfirmed, _) => Ok(LinkPurpose::Confirm),
            (UserStatus::Active, NotYou::NoPassword) if has_password => Ok(LinkPurpose::Reset),
            (UserStatus::Active, _) => Err(or_else),
            (UserStatus::Deactivated, _) => Err(NotYou::Deactivated),
        };
        match link {
            Ok(purpose) => self.mail_link(&mut change, &user, purpose).await?,
            Err(why) => {
                let now = change.now;
                change.transaction.user_mailed(&user.id, now).await?;
                self.mail(&mut change, &user, Occasion::NotYou(why)).await?;
            }
        }
        let sent = link.map_or("no link", LinkPurpose::name);
        Ok(change.finish_own(Some(json!({ "mailed": sent }))).await?)
    }

    async fn mail_link(
        &self,
        change: &mut Change<'_>,
        user: &User,
        purpose: LinkPurpose,
    ) -> Result<(), PeopleError> {
        let now = change.now;
        change.transaction.user_mailed(&user.id, now).await?;
        let token = self.make_link(change, user, purpose).await?;
        self.mail(change, user, Occasion::Link(purpose, &token)).await
    }
}

/// The organization that an address belongs to, which must take part.
pub(super) async fn organization_of(
    transaction: &mut Transaction,
    email: &EmailAddress,
) -> Result<Organization, PeopleError> {
    check_not_routed(email)?;
    let number = transaction.organization_of_domain(email).await?;
    let unknown = || PeopleError::UnknownDomain { domain: email.domain().clone() };
    let found = transaction.organization(number.ok_or_else(unknown)?).await?;
    let organization = found.ok_or(RegistryError::Absent { noun: "organization" })?.value;
    match organization.status {
        OrganizationStatus::Active => Ok(organization),
        OrganizationStatus::Deactivated => Err(PeopleError::OrganizationDeactivated),
    }
}

/// Holds that an address says nothing about a way on from its domain. Old mail servers read `a%b@c` and `b!a@c` as the
/// address of `a` at `b` (RFC 5321 section 2.3.11 and appendix F.2), so that such a mail leaves the organization.
pub(super) fn check_not_routed(email: &EmailAddress) -> Result<(), RegistryError> {
    if email.local_part().contains(['%', '!']) {
        return Err(RegistryError::invalid(
            "email",
            "an address here has no % and no ! before the @; mail servers may send such mail elsewhere",
        ));
    }
    Ok(())
}

/// An identifier for a user who is new.
pub(super) fn new_user_id(registry: &Registry) -> UserId {
    let mut bytes = [0; 16];
    registry.random.fill(&mut bytes);
    UserId::from_uuid(bytes)
}
