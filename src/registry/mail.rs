//! E-mail that the control plane sends: it is enqueued in the transaction of the change that it tells of.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::domain::email_address::EmailAddress;
use crate::domain::mail::Mail;
use crate::registry::change::Change;
use crate::registry::{Registry, RegistryError};

/// The way to whoever sends mails, who is told when there is one.
#[derive(Clone, Debug, Default)]
pub struct Outbox(Arc<Notify>);

impl Outbox {
    /// Says that there may be something to send.
    pub(super) fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until there may be something to send.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}

impl Registry {
    /// The same with a way to send mail; without one, whatever needs mail is refused.
    #[must_use]
    pub fn with_outbox(self, outbox: Outbox) -> Self {
        Self { outbox: Some(outbox), ..self }
    }

    /// Whether e-mail is set up.
    pub fn sends_mail(&self) -> bool {
        self.outbox.is_some()
    }
}

impl Change<'_> {
    /// Puts a mail on its way. It goes when the change is made.
    pub(super) async fn enqueue_mail(
        &mut self,
        recipient: &EmailAddress,
        subject: &str,
        body: &str,
    ) -> Result<(), RegistryError> {
        let registry = self.registry;
        registry.outbox.as_ref().ok_or(RegistryError::NoMail)?;
        let mail = Mail::new(&*registry.random, recipient.clone(), subject, body);
        let mail = mail.map_err(|error| RegistryError::invalid("mail", error))?;
        self.transaction.enqueue_mail(&mail, self.now).await?;
        self.mails = true;
        Ok(())
    }
}
