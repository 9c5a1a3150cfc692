//! The form of business data: its fields from the data, and the data from its fields.
//!
//! A contact point or an alert point is a row of the form. A row in which nothing is written is none, so a point is taken
//! away by emptying its row. Behind the rows that are in use stand two empty ones; whoever needs more saves first.

use crate::domain::alert::AlertKind;
use crate::domain::business::{
    ADDRESS_LINES_MAX, AlertPoint, BusinessData, ContactPoint, ContactRole, Invoice, POINTS_MAX,
};
use crate::domain::email_address::EmailAddress;
use crate::domain::language::Language;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::page::Page;

/// The begin of the names of the fields of contact points and of alert points.
pub(super) const CONTACT: &str = "contact";
pub(super) const ALERT: &str = "alert";

/// Empty rows behind those in use.
const EMPTY_ROWS: usize = 2;

/// The fields in which something is written where a row is in use.
fn written(kind: &str) -> &'static [&'static str] {
    if kind == CONTACT { &["name", "email", "phone"] } else { &["email"] }
}

fn is_used(fields: &Fields, kind: &str, row: usize) -> bool {
    written(kind).iter().any(|member| !fields.text(&format!("{kind}-{row}-{member}")).is_empty())
}

/// How many rows the form has.
pub(super) fn rows(fields: &Fields, kind: &str) -> usize {
    let used = (0..POINTS_MAX).rev().find(|row| is_used(fields, kind, *row));
    (used.map_or(0, |last| last + 1) + EMPTY_ROWS).min(POINTS_MAX)
}

/// The fields that somebody writes in, with the names of their labels.
pub(super) fn labels() -> Vec<(String, &'static str)> {
    let named = [
        ("address", "organization-address"),
        ("invoice-email", "organization-invoice-email"),
        ("peppol-id", "organization-peppol"),
        ("reference", "organization-reference"),
    ];
    let named = named.map(|(field, label)| (field.to_owned(), label));
    let of_rows = (0..POINTS_MAX).flat_map(|row| {
        [
            (format!("{CONTACT}-{row}-name"), "organization-contact-name"),
            (format!("{CONTACT}-{row}-email"), "organization-email"),
            (format!("{CONTACT}-{row}-phone"), "organization-phone"),
            (format!("{ALERT}-{row}-email"), "organization-email"),
        ]
    });
    named.into_iter().chain(of_rows).collect()
}

/// The form as it is filled in from the data.
pub(super) fn fill(data: &BusinessData) -> Fields {
    let invoice = &data.invoice;
    let text = |it: Option<&str>| it.unwrap_or_default().to_owned();
    let mut fields = Fields::default()
        .with("address", invoice.address_lines.join("\n"))
        .with("invoice-email", text(invoice.email.as_ref().map(EmailAddress::as_str)))
        .with(
            "peppol-id",
            text(invoice.peppol_id.as_ref().map(crate::domain::business::PeppolId::as_str)),
        )
        .with("reference", text(invoice.reference.as_deref()));
    for (row, point) in data.contact_points.iter().enumerate() {
        let at = |member| format!("{CONTACT}-{row}-{member}");
        fields = fields
            .with(&at("name"), point.name.as_str())
            .with(&at("role"), point.role.name())
            .with(&at("email"), point.email.as_str())
            .with(
                &at("phone"),
                text(point.phone.as_ref().map(crate::domain::business::PhoneNumber::as_str)),
            );
    }
    for (row, point) in data.alert_points.iter().enumerate() {
        let at = |member| format!("{ALERT}-{row}-{member}");
        fields = fields
            .with(&at("email"), point.email.as_str())
            .with(&at("language"), point.language.name());
        for kind in &point.kinds {
            fields = fields.with(&at("kind"), kind.name());
        }
    }
    fields
}

/// What the form says, and what is wrong with it.
pub(super) fn read(page: &Page, fields: &Fields) -> (BusinessData, FormErrors) {
    let mut errors = FormErrors::default();
    let invoice = read_invoice(page, fields, &mut errors);
    let used = |kind| (0..POINTS_MAX).filter(move |row| is_used(fields, kind, *row));
    let contact_points =
        used(CONTACT).filter_map(|row| read_contact(page, fields, row, &mut errors)).collect();
    let alert_points: Vec<AlertPoint> =
        used(ALERT).filter_map(|row| read_alert(page, fields, row, &mut errors)).collect();
    (BusinessData { invoice, contact_points, alert_points }, errors)
}

fn read_invoice(page: &Page, fields: &Fields, errors: &mut FormErrors) -> Invoice {
    let lines = fields.text("address").lines().map(str::trim).filter(|line| !line.is_empty());
    let address_lines: Vec<String> = lines.map(str::to_owned).collect();
    if address_lines.len() > ADDRESS_LINES_MAX {
        errors.add("address", page.count("organization-address-long", ADDRESS_LINES_MAX));
    }
    let peppol_id = fields.filled("peppol-id").map(str::parse).transpose();
    if peppol_id.is_err() {
        errors.add("peppol-id", page.say("organization-peppol-wrong"));
    }
    Invoice {
        address_lines,
        email: read_email(page, fields, "invoice-email", errors),
        peppol_id: peppol_id.unwrap_or_default(),
        reference: fields.filled("reference").map(str::to_owned),
    }
}

/// The address in a field that may be empty.
fn read_email(
    page: &Page,
    fields: &Fields,
    field: &str,
    errors: &mut FormErrors,
) -> Option<EmailAddress> {
    let email = fields.filled(field).map(str::parse).transpose();
    if email.is_err() {
        errors.add(field, page.say("organization-email-wrong"));
    }
    email.unwrap_or_default()
}

/// The same in one that may not.
fn need_email(
    page: &Page,
    fields: &Fields,
    field: &str,
    errors: &mut FormErrors,
) -> Option<EmailAddress> {
    if fields.text(field).is_empty() {
        errors.add(field, page.say("organization-email-missing"));
    }
    read_email(page, fields, field, errors)
}

fn read_contact(
    page: &Page,
    fields: &Fields,
    row: usize,
    errors: &mut FormErrors,
) -> Option<ContactPoint> {
    let at = |member| format!("{CONTACT}-{row}-{member}");
    let name = fields.text(&at("name")).to_owned();
    if name.is_empty() {
        errors.add(&at("name"), page.say("organization-contact-name-missing"));
    }
    let email = need_email(page, fields, &at("email"), errors);
    let phone = fields.filled(&at("phone")).map(str::parse).transpose();
    if phone.is_err() {
        errors.add(&at("phone"), page.say("organization-phone-wrong"));
    }
    let role = ContactRole::from_name(fields.text(&at("role"))).unwrap_or(ContactRole::Technical);
    Some(ContactPoint { name, role, email: email?, phone: phone.unwrap_or_default() })
}

fn read_alert(
    page: &Page,
    fields: &Fields,
    row: usize,
    errors: &mut FormErrors,
) -> Option<AlertPoint> {
    let at = |member| format!("{ALERT}-{row}-{member}");
    let email = need_email(page, fields, &at("email"), errors);
    let language = Language::from_name(fields.text(&at("language"))).unwrap_or_default();
    let kinds: Vec<AlertKind> = fields.all(&at("kind")).filter_map(AlertKind::from_name).collect();
    if kinds.is_empty() {
        errors.add(&at("kind"), page.say("organization-kinds-missing"));
    }
    Some(AlertPoint { email: email?, language, kinds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_use_have_two_empty_ones_behind_them_up_to_the_most() {
        let with = |row: usize| Fields::default().with(&format!("alert-{row}-email"), "x");
        assert_eq!(rows(&Fields::default(), ALERT), 2);
        assert_eq!(rows(&with(0), ALERT), 3);
        assert_eq!(rows(&with(0), CONTACT), 2);
        assert_eq!(rows(&with(POINTS_MAX - 1), ALERT), POINTS_MAX);
        let role_only = Fields::default().with("contact-0-role", "technical");
        assert_eq!(rows(&role_only, CONTACT), 2);
    }
}
