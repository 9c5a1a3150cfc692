//! Setting up and removing the second factor.

use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::extract::State;
use axum::response::Response;
use qrcode::QrCode;
use qrcode::render::svg;

use crate::app::App;
use crate::http::portal::fields::Fields;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, show};
use crate::http::portal::people::profile::refuse;
use crate::http::portal::refused::Refused;
use crate::registry::Enrolment;

/// Points along an edge of the picture, at least: what a telephone reads from a screen at arm's length.
const PICTURE_POINTS: u32 = 240;

#[derive(Template)]
#[template(path = "people/enrol.html", config = ".askama.toml")]
struct EnrolPage {
    page: Page,
    enrolment: Enrolment,
    picture: Option<Safe<String>>,
}

#[derive(Template)]
#[template(path = "people/recovery_codes.html", config = ".askama.toml")]
struct RecoveryCodesPage {
    page: Page,
    codes: Vec<String>,
}

/// `POST /portal/profile/second-factor`: makes a secret, and shows it once.
pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Refused> {
    let (password, trace_id) = (fields.raw("current"), Some(signed_in.page.trace_id.as_str()));
    match app.registry.enrol_second_factor(&signed_in.session, password, trace_id).await {
        Ok(enrolment) => {
            let picture = picture(&enrolment.address);
            Ok(show(&EnrolPage { page: signed_in.page, enrolment, picture }))
        }
        Err(error) => refuse(&app, signed_in, error).await,
    }
}

/// `POST /portal/profile/second-factor/confirm`: takes it into use, and shows the recovery codes once.
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Refused> {
    let (code, trace_id) = (fields.text("code"), Some(signed_in.page.trace_id.as_str()));
    match app.registry.confirm_second_factor(&signed_in.session, code, trace_id).await {
        Ok(codes) => Ok(show(&RecoveryCodesPage { page: signed_in.page, codes })),
        Err(error) => refuse(&app, signed_in, error).await,
    }
}

/// `POST /portal/profile/second-factor/remove`
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Refused> {
    let (code, trace_id) = (fields.text("code"), Some(signed_in.page.trace_id.as_str()));
    match app.registry.remove_second_factor(&signed_in.session, code, trace_id).await {
        Ok(()) => Ok(done(&app, Notice::Saved, "/portal/profile")),
        Err(error) => refuse(&app, signed_in, error).await,
    }
}

/// The address as a picture that authenticators read; dark on light in both schemes, as they want it.
fn picture(address: &str) -> Option<Safe<String>> {
    let code = QrCode::new(address.as_bytes()).ok()?;
    let drawn = code
        .render::<svg::Color<'_>>()
        .min_dimensions(PICTURE_POINTS, PICTURE_POINTS)
        .dark_color(svg::Color("#000"))
        .light_color(svg::Color("#fff"))
        .build();
    // The declaration of XML does not belong into a page.
    drawn.find("<svg").map(|at| Safe(drawn[at..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_drawn_without_style_and_script() {
        let Safe(drawn) = picture("otpauth://totp/Dev:kari@agency.example?secret=ABC").unwrap();
        assert!(drawn.starts_with("<svg") && drawn.ends_with("</svg>"), "{drawn:.80}");
        for forbidden in ["style", "script", "href", "<?xml"] {
            assert!(!drawn.contains(forbidden), "{forbidden}");
        }
    }
}
