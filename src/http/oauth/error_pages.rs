//! The pages behind `error_uri`: what an MP code means and what to do about it, for people.
//!
//! Plain HTML that works without script, with one stylesheet of our own, so that the strictest content
//! security policy can stand over it. Nothing of a request gets into a page. All text is constant and is
//! known by a test to hold no character that HTML reads as markup, so nothing is escaped here; whoever
//! puts anything else into a page must escape it.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::http::oauth::error_texts::{Text, text_of};
use crate::token::refusal::MpCode;

/// The stylesheet of the pages, served at `/errors/style.css`.
const STYLE: &str = include_str!("error_pages.css");

/// One of the two languages of a page, with the words that every page has.
pub(super) struct Language {
    /// Its tag (RFC 5646), and at the same time the name of its section.
    pub(super) tag: &'static str,
    name: &'static str,
    causes: &'static str,
    remedy: &'static str,
    help: &'static str,
    help_texts: [&'static str; 2],
    /// What the list of all codes is called.
    all: &'static str,
    index: &'static str,
    index_text: &'static str,
    /// The headings of [`GROUPS`].
    groups: [&'static str; 4],
}

pub(super) const ENGLISH: Language = Language {
    tag: "en",
    name: "English",
    causes: "Usual causes",
    remedy: "What to do",
    help: "Still stuck?",
    help_texts: [
        "`error_description` ends with a `trace_id`. Give it to those who run this server: it leads \
         them to the lines of the log about your request. The owner of the client sees which check \
         failed with `portvakt explain` and that `trace_id`.",
        "Do not send anyone the assertion, an access token or the private key.",
    ],
    all: "Error codes",
    index: "When no token is issued",
    index_text: "A refusal points to one of these codes in `error_uri` and says in \
                 `error_description` what was seen and what was expected. Some refusals have no \
                 code; then the description says it all.",
    groups: [
        "Reading the assertion",
        "Client, key and claims",
        "Scopes and access",
        "Authorization details",
    ],
};

pub(super) const NORWEGIAN: Language = Language {
    tag: "nb",
    name: "Norsk bokmål",
    causes: "Vanlige årsaker",
    remedy: "Dette gjør du",
    help: "Kommer du ikke videre?",
    help_texts: [
        "Til slutt i `error_description` står en `trace_id`. Oppgi den til dem som drifter denne \
         serveren, så finner de linjene i loggen om forespørselen din. Den som eier klienten, ser med \
         `portvakt explain` og denne `trace_id` hvilken kontroll som feilet.",
        "Ikke send JWT-en, et tilgangstoken eller den private nøkkelen til noen.",
    ],
    all: "Feilkoder",
    index: "Når det ikke utstedes token",
    index_text: "Et avslag viser til en av disse kodene i `error_uri` og sier i \
                 `error_description` hva serveren så, og hva den ventet. Noen avslag har ingen \
                 kode; da står alt i beskrivelsen.",
    groups: [
        "Lesing av JWT-en",
        "Klient, nøkkel og innhold",
        "Scope og tilgang",
        "Authorization details",
    ],
};

/// How the names of the codes begin, group by group.
const GROUPS: [&str; 4] = ["MP-0", "MP-1", "MP-2", "MP-3"];

/// `GET /errors/MP-nnn`; what is no code leads to the list of all codes.
pub(super) async fn page(code: Result<Path<String>, PathRejection>) -> Response {
    let code = code.map_or_else(|_| String::new(), |Path(code)| code);
    match MpCode::ALL.into_iter().find(|known| known.name() == code) {
        Some(code) => html(render(code)),
        None => Redirect::to("./").into_response(),
    }
}

/// `GET /errors/`
pub(super) async fn index() -> Response {
    html(render_index())
}

/// `GET /errors/style.css`
pub(super) async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, CACHE)], STYLE).into_response()
}

/// Pages change with the program only.
const CACHE: &str = "public, max-age=3600";

pub(super) fn html(page: String) -> Response {
    const HEADERS: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, CACHE),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ),
    ];
    (StatusCode::OK, HEADERS, page).into_response()
}

/// The page about one code.
fn render(code: MpCode) -> String {
    let page = text_of(code);
    let name = page.code.name();
    let title = format!("{name} {}", page.english.title);
    let sections = section(&ENGLISH, &page.english) + &section(&NORWEGIAN, &page.norwegian);
    let up = format!("<p class=\"up\"><a href=\"./\">{}</a></p>\n", in_both(|it| it.all));
    document(&title, &format!("{up}<h1>{name}</h1>\n{sections}"))
}

/// The page that lists all codes, for `/errors/`.
fn render_index() -> String {
    let english = index_section(&ENGLISH, |code| &text_of(code).english);
    let norwegian = index_section(&NORWEGIAN, |code| &text_of(code).norwegian);
    let heading = in_both(|it| it.all);
    document(ENGLISH.all, &format!("<h1>{heading}</h1>\n{english}{norwegian}"))
}

/// The same words in both languages; the stylesheet sets them apart.
fn in_both(words: fn(&Language) -> &'static str) -> String {
    let (english, norwegian) = (words(&ENGLISH), words(&NORWEGIAN));
    format!("{english} <span lang=\"{}\">{norwegian}</span>", NORWEGIAN.tag)
}

/// A whole document: what stands on every page, around `main`.
pub(super) fn document(title: &str, main: &str) -> String {
    let [english, norwegian] = [ENGLISH, NORWEGIAN].map(|Language { tag, name, .. }| {
        format!("<a href=\"#{tag}\" lang=\"{tag}\" hreflang=\"{tag}\">{name}</a>")
    });
    format!(
        "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>{title} – Portvakt</title>
<link rel=\"stylesheet\" href=\"style.css\">
</head>
<body>
<header>
<a class=\"home\" href=\"./\">Portvakt</a>
<nav aria-label=\"Language\">{english} {norwegian}</nav>
</header>
<main>
{main}</main>
</body>
</html>
"
    )
}

fn section(language: &Language, text: &Text) -> String {
    let Language { tag, causes, remedy, help, help_texts: [trace, secrets], .. } = language;
    format!(
        "<section id=\"{tag}\" lang=\"{tag}\">
<h2>{title}</h2>
<p class=\"what\">{what}</p>
<h3>{causes}</h3>
<ul>
{cause_items}</ul>
<h3>{remedy}</h3>
<ol>
{remedy_items}</ol>
<aside>
<h3>{help}</h3>
<p>{trace}</p>
<p>{secrets}</p>
</aside>
</section>
",
        title = text.title,
        what = marked(text.what),
        cause_items = items(text.causes),
        remedy_items = items(text.remedy),
        trace = marked(trace),
    )
}

fn index_section(language: &Language, text_of: fn(MpCode) -> &'static Text) -> String {
    let Language { tag, index, groups, .. } = language;
    let entry = |code: MpCode| {
        let (name, title) = (code.name(), text_of(code).title);
        format!("<li><a href=\"{name}#{tag}\"><b>{name}</b> {title}</a></li>\n")
    };
    let list = |(start, group): (&str, &&str)| {
        let codes = MpCode::ALL.into_iter().filter(|code| code.name().starts_with(start));
        let entries: String = codes.map(entry).collect();
        format!("<h3>{group}</h3>\n<ul class=\"codes\">\n{entries}</ul>\n")
    };
    let lists: String = GROUPS.into_iter().zip(groups).map(list).collect();
    let text = marked(language.index_text);
    format!(
        "<section id=\"{tag}\" lang=\"{tag}\">
<h2>{index}</h2>
<p class=\"what\">{text}</p>
{lists}</section>
"
    )
}

fn items(texts: &[&str]) -> String {
    texts.iter().fold(String::new(), |html, text| html + "<li>" + &marked(text) + "</li>\n")
}

/// Turns what stands between backticks into `code`. The texts hold an even number of them.
pub(super) fn marked(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 64);
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 0 {
            html.push_str(part);
        } else {
            html.push_str("<code>");
            html.push_str(part);
            html.push_str("</code>");
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> impl Iterator<Item = String> {
        MpCode::ALL.into_iter().map(render).chain([render_index()])
    }

    #[test]
    fn pages_are_whole_and_bring_neither_style_nor_script() {
        for page in pages() {
            assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{page}");
            assert!(page.ends_with("</html>\n"), "{page}");
            for once in ["<h1>", "<title>", "<section id=\"en\" lang=\"en\">", "lang=\"nb\">\n<h2>"]
            {
                assert_eq!(page.matches(once).count(), 1, "{once} in {page}");
            }
            for never in ["<style", "style=", "<script", "<img", "http-equiv", "{", "`"] {
                let page = page.split("<code>").map(|part| part.split("</code>").last());
                assert!(page.flatten().all(|part| !part.contains(never)), "{never}");
            }
        }
    }

    #[test]
    fn every_tag_is_closed() {
        for page in pages() {
            for tag in
                ["a", "aside", "b", "code", "h2", "h3", "li", "main", "nav", "ol", "p", "span"]
            {
                let opened = page.matches(&format!("<{tag}>")).count()
                    + page.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag} in {page}");
            }
        }
    }

    #[test]
    fn a_page_is_titled_with_its_code() {
        for code in MpCode::ALL {
            let page = render(code);
            assert!(page.contains(&format!("<title>{} ", code.name())), "{page}");
            assert!(page.contains(&format!("<h1>{}</h1>", code.name())), "{page}");
        }
    }

    #[test]
    fn the_index_leads_to_every_page_in_both_languages() {
        let index = render_index();
        for code in MpCode::ALL {
            for language in [&ENGLISH, &NORWEGIAN] {
                let link = format!("<a href=\"{}#{}\">", code.name(), language.tag);
                assert_eq!(index.matches(&link).count(), 1, "{link}");
            }
        }
    }

    #[test]
    fn the_stylesheet_fetches_nothing() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn the_words_of_every_page_can_stand_in_html_as_they_are() {
        for Language { help_texts: [trace, secrets], index_text, .. } in [ENGLISH, NORWEGIAN] {
            for text in [trace, secrets, index_text] {
                assert!(!text.contains(['<', '>', '&']), "{text}");
                assert_eq!(text.matches('`').count() % 2, 0, "{text}");
            }
        }
    }

    #[test]
    fn marks_what_stands_between_backticks() {
        assert_eq!(marked("a `b` c"), "a <code>b</code> c");
        assert_eq!(marked("`b`"), "<code>b</code>");
    }
}
