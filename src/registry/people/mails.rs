//! The mails that people get about themselves, in their own language.

use crate::clock::HOUR_SECONDS;
use crate::domain::language::Language;
use crate::domain::sign_in::LinkPurpose;
use crate::domain::user::User;
use crate::keys::secret_token::LinkToken;
use crate::registry::Registry;
use crate::registry::change::Change;
use crate::registry::people::PeopleError;

/// What a mail to a person is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Occasion<'a> {
    /// A link, and what for.
    Link(LinkPurpose, &'a LinkToken),
    /// Somebody has signed up, or asked for another password, with the address of a user who cannot.
    NotYou(NotYou),
    /// The password is another one since now.
    PasswordChanged,
    /// No second factor is asked for any longer.
    SecondFactorOff,
    /// A second factor is asked for since now.
    SecondFactorOn,
}

/// Why somebody who asks for a link gets none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotYou {
    /// There is a user already.
    Registered,
    /// There is one, who has been switched off.
    Deactivated,
    /// There is one, who has no password because they come from an OpenID provider.
    NoPassword,
}

impl Registry {
    /// Puts a mail to a user on its way, with the change that it is about.
    pub(super) async fn mail(
        &self,
        change: &mut Change<'_>,
        user: &User,
        occasion: Occasion<'_>,
    ) -> Result<(), PeopleError> {
        let rules = &self.rules.people;
        let (subject, body) = text(user, &rules.environment.name, &rules.portal_url, occasion);
        Ok(change.enqueue_mail(&user.email, &subject, &body).await?)
    }

    /// The same of what a user should know and can do without, where mail is not set up.
    pub(super) async fn mail_if_possible(
        &self,
        change: &mut Change<'_>,
        user: &User,
        occasion: Occasion<'_>,
    ) -> Result<(), PeopleError> {
        if self.sends_mail() { self.mail(change, user, occasion).await } else { Ok(()) }
    }

    /// Makes a link for a user, in the place of earlier ones of its kind.
    pub(super) async fn make_link(
        &self,
        change: &mut Change<'_>,
        user: &User,
        purpose: LinkPurpose,
    ) -> Result<LinkToken, PeopleError> {
        let token = LinkToken::generate(&*self.random);
        let now = change.now;
        let end = now.plus_seconds(purpose.lifetime_seconds());
        change.transaction.insert_link(&token.hash(), &user.id, purpose, now, end).await?;
        Ok(token)
    }

    /// The address that a link leads to.
    pub(super) fn link_address(&self, token: &LinkToken) -> String {
        link_address(&self.rules.people.portal_url, token)
    }
}

fn link_address(portal: &str, token: &LinkToken) -> String {
    format!("{portal}portal/link?token={}", token.as_str())
}

/// Subject and text of a mail.
fn text(user: &User, environment: &str, portal: &str, occasion: Occasion<'_>) -> (String, String) {
    let (what, lines) = match user.language {
        Language::Bokmal => bokmal(portal, occasion),
        Language::English => english(portal, occasion),
        Language::Nynorsk => nynorsk(portal, occasion),
    };
    let greeting = match user.language {
        Language::English => "Hello",
        Language::Bokmal | Language::Nynorsk => "Hei",
    };
    // Names stand nowhere: whoever fills in the form chooses them, for people they do not know.
    let body = format!("{greeting}\n\n{lines}\n\n{environment}\n{portal}portal\n");
    (format!("{environment}: {what}"), body)
}

fn bokmal(portal: &str, occasion: Occasion<'_>) -> (&'static str, String) {
    match occasion {
        Occasion::Link(purpose, token) => {
            let link = link_address(portal, token);
            let (what, why) = match purpose {
                LinkPurpose::Confirm => (
                    "bekreft e-postadressen din",
                    "Noen har registrert denne adressen i selvbetjeningen. Er det deg, så bekreft den og velg et passord",
                ),
                LinkPurpose::Invite => (
                    "du er invitert",
                    "Du er invitert til selvbetjeningen. Bekreft adressen din og velg et passord",
                ),
                LinkPurpose::Reset => (
                    "velg nytt passord",
                    "Noen har bedt om nytt passord for denne adressen. Er det deg, så velg det",
                ),
            };
            let time = hours(purpose, "time", "timer");
            (what, format!("{why} her:\n\n{link}\n\nLenken gjelder i {time} og kan brukes én gang. Er det ikke deg, trenger du ikke gjøre noe."))
        }
        Occasion::NotYou(NotYou::Registered) => (
            "du er allerede registrert",
            "Noen har prøvd å registrere denne adressen i selvbetjeningen, men du er registrert fra før. Logg inn, eller be om nytt passord hvis du har glemt det. Er det ikke deg, trenger du ikke gjøre noe.".to_owned(),
        ),
        Occasion::NotYou(NotYou::Deactivated) => (
            "brukeren din er deaktivert",
            "Noen har bedt om å slippe inn med denne adressen, men brukeren er deaktivert. En administrator i virksomheten din kan aktivere den igjen.".to_owned(),
        ),
        Occasion::NotYou(NotYou::NoPassword) => (
            "du har ikke noe passord her",
            "Noen har bedt om nytt passord for denne adressen. Du har ikke noe passord her, fordi du logger inn gjennom en annen tjeneste.".to_owned(),
        ),
        Occasion::PasswordChanged => (
            "passordet ditt er endret",
            "Passordet ditt er endret, og du er logget ut alle andre steder. Er det ikke deg, så be om nytt passord med en gang, og si fra til en administrator i virksomheten din.".to_owned(),
        ),
        Occasion::SecondFactorOff => (
            "to-trinns innlogging er slått av",
            "To-trinns innlogging er slått av for brukeren din. Er det ikke deg, så be om nytt passord med en gang, og si fra til en administrator i virksomheten din.".to_owned(),
        ),
        Occasion::SecondFactorOn => (
            "to-trinns innlogging er tatt i bruk",
            "To-trinns innlogging er tatt i bruk for brukeren din, og du er logget ut alle andre steder. Er det ikke deg, så si fra til en administrator i virksomheten din med en gang.".to_owned(),
        ),
    }
}

fn nynorsk(portal: &str, occasion: Occasion<'_>) -> (&'static str, String) {
    match occasion {
        Occasion::Link(purpose, token) => {
            let link = link_address(portal, token);
            let (what, why) = match purpose {
                LinkPurpose::Confirm => (
                    "stadfest e-postadressa di",
                    "Nokon har registrert denne adressa i sjølvbetjeninga. Er det deg, så stadfest ho og vel eit passord",
                ),
                LinkPurpose::Invite => (
                    "du er invitert",
                    "Du er invitert til sjølvbetjeninga. Stadfest adressa di og vel eit passord",
                ),
                LinkPurpose::Reset => (
                    "vel nytt passord",
                    "Nokon har bede om nytt passord for denne adressa. Er det deg, så vel det",
                ),
            };
            let time = hours(purpose, "time", "timar");
            (what, format!("{why} her:\n\n{link}\n\nLenkja gjeld i {time} og kan brukast éin gong. Er det ikkje deg, treng du ikkje gjere noko."))
        }
        Occasion::NotYou(NotYou::Registered) => (
            "du er alt registrert",
            "Nokon har prøvd å registrere denne adressa i sjølvbetjeninga, men du er registrert frå før. Logg inn, eller be om nytt passord om du har gløymt det. Er det ikkje deg, treng du ikkje gjere noko.".to_owned(),
        ),
        Occasion::NotYou(NotYou::Deactivated) => (
            "brukaren din er deaktivert",
            "Nokon har bede om å sleppe inn med denne adressa, men brukaren er deaktivert. Ein administrator i verksemda di kan aktivere han igjen.".to_owned(),
        ),
        Occasion::NotYou(NotYou::NoPassword) => (
            "du har ikkje noko passord her",
            "Nokon har bede om nytt passord for denne adressa. Du har ikkje noko passord her, fordi du loggar inn gjennom ei anna teneste.".to_owned(),
        ),
        Occasion::PasswordChanged => (
            "passordet ditt er endra",
            "Passordet ditt er endra, og du er logga ut alle andre stader. Er det ikkje deg, så be om nytt passord med ein gong, og sei frå til ein administrator i verksemda di.".to_owned(),
        ),
        Occasion::SecondFactorOff => (
            "to-trinns innlogging er slått av",
            "To-trinns innlogging er slått av for brukaren din. Er det ikkje deg, så be om nytt passord med ein gong, og sei frå til ein administrator i verksemda di.".to_owned(),
        ),
        Occasion::SecondFactorOn => (
            "to-trinns innlogging er teken i bruk",
            "To-trinns innlogging er teken i bruk for brukaren din, og du er logga ut alle andre stader. Er det ikkje deg, så sei frå til ein administrator i verksemda di med ein gong.".to_owned(),
        ),
    }
}

fn english(portal: &str, occasion: Occasion<'_>) -> (&'static str, String) {
    match occasion {
        Occasion::Link(purpose, token) => {
            let link = link_address(portal, token);
            let (what, why) = match purpose {
                LinkPurpose::Confirm => (
                    "confirm your e-mail address",
                    "Somebody has registered this address for self-service. If it was you, confirm it and choose a password",
                ),
                LinkPurpose::Invite => (
                    "you are invited",
                    "You are invited to self-service. Confirm your address and choose a password",
                ),
                LinkPurpose::Reset => (
                    "choose a new password",
                    "Somebody has asked for a new password for this address. If it was you, choose it",
                ),
            };
            let time = hours(purpose, "hour", "hours");
            (what, format!("{why} here:\n\n{link}\n\nThe link counts for {time} and can be used once. If it was not you, you need do nothing."))
        }
        Occasion::NotYou(NotYou::Registered) => (
            "you are registered already",
            "Somebody has tried to register this address for self-service, but you are registered already. Sign in, or ask for a new password if you have forgotten yours. If it was not you, you need do nothing.".to_owned(),
        ),
        Occasion::NotYou(NotYou::Deactivated) => (
            "your user is deactivated",
            "Somebody has asked to be let in with this address, but the user is deactivated. An administrator of your organization can restore it.".to_owned(),
        ),
        Occasion::NotYou(NotYou::NoPassword) => (
            "you have no password here",
            "Somebody has asked for a new password for this address. You have no password here, because you sign in through another service.".to_owned(),
        ),
        Occasion::PasswordChanged => (
            "your password has been changed",
            "Your password has been changed, and you have been signed out everywhere else. If it was not you, ask for a new password at once, and tell an administrator of your organization.".to_owned(),
        ),
        Occasion::SecondFactorOff => (
            "two-step sign-in has been turned off",
            "Two-step sign-in has been turned off for your user. If it was not you, ask for a new password at once, and tell an administrator of your organization.".to_owned(),
        ),
        Occasion::SecondFactorOn => (
            "two-step sign-in has been turned on",
            "Two-step sign-in has been turned on for your user, and you have been signed out everywhere else. If it was not you, tell an administrator of your organization at once.".to_owned(),
        ),
    }
}

/// For how long a link counts, in words.
fn hours(purpose: LinkPurpose, one: &str, many: &str) -> String {
    match purpose.lifetime_seconds() / HOUR_SECONDS {
        1 => format!("1 {one}"),
        hours => format!("{hours} {many}"),
    }
}
