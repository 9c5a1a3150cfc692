//! The page behind the `type` of the admin API's problems (RFC 9457 section 3.1.1): what each `code` means.

use axum::response::Response;

use crate::http::oauth::error_pages::{ENGLISH, Language, NORWEGIAN, document, html, marked};

/// What is said about one code. The texts stand in HTML without escaping, as those of the MP codes do.
struct AdminError {
    code: &'static str,
    english: &'static str,
    norwegian: &'static str,
}

/// Every code that a problem can have.
const ERRORS: [AdminError; 13] = [
    AdminError {
        code: "conflict",
        english: "The change does not fit what is there: a name that is taken, or a thing that is deactivated. \
                  `detail` says which rule it breaks. Read the thing, and decide again.",
        norwegian: "Endringen passer ikke med det som finnes: et navn som er i bruk, eller noe som er deaktivert. \
                    `detail` sier hvilken regel den bryter. Les på nytt, og bestem deg igjen.",
    },
    AdminError {
        code: "idempotency_key",
        english: "The `Idempotency-Key` was used for another request, the first request with it is still under \
                  way, or it cannot be read: 1 to 255 visible ASCII characters. Make a new key for each new request, and send the old one only to repeat the same.",
        norwegian: "`Idempotency-Key` er brukt for en annen forespørsel, den første er ikke ferdig, eller nøkkelen kan ikke leses. Lag en ny \
                    nøkkel for hver nye forespørsel, og send den gamle bare for å gjenta den samme.",
    },
    AdminError {
        code: "insufficient_scope",
        english: "The token lacks the scope that this needs; `detail` names it. The scope must be on the client, \
                  and granted to its organization by the operator.",
        norwegian: "Tokenet mangler scopet som trengs; `detail` nevner det. Scopet må stå på klienten og være gitt \
                    til virksomheten av den som drifter serveren.",
    },
    AdminError {
        code: "invalid_request",
        english: "The request cannot be read: a body that is no JSON, a member or parameter that is not known, \
                  missing or of the wrong kind. `errors` names it.",
        norwegian: "Forespørselen kan ikke leses: innhold som ikke er JSON, eller et felt som er ukjent, mangler \
                    eller er av feil slag. `errors` nevner det.",
    },
    AdminError {
        code: "invalid_token",
        english: "There is no access token, or it does not count: expired, for another API, or of a client that is \
                  deactivated. Fetch a new one and send it as `Authorization: Bearer`.",
        norwegian: "Tilgangstokenet mangler eller gjelder ikke: utløpt, ment for et annet API, eller fra en klient \
                    som er deaktivert. Hent et nytt og send det som `Authorization: Bearer`.",
    },
    AdminError {
        code: "invalid_value",
        english: "A value cannot be accepted; `errors` names the member and `detail` says what is accepted.",
        norwegian: "En verdi kan ikke godtas; `errors` nevner feltet og `detail` sier hva som godtas.",
    },
    AdminError {
        code: "no_such_address",
        english: "There is nothing at this address, or nothing that takes this method. `/openapi.json` on the admin \
                  API names every address.",
        norwegian: "Det er ingenting på denne adressen, eller den tar ikke imot metoden. `/openapi.json` på \
                    admin-API-et nevner alle adresser.",
    },
    AdminError {
        code: "not_found",
        english: "There is no such thing, or it belongs to an organization that the token does not act for.",
        norwegian: "Det finnes ikke, eller det tilhører en virksomhet som tokenet ikke opptrer for.",
    },
    AdminError {
        code: "not_yours",
        english: "It belongs to another organization, and only that organization and the operator may do this.",
        norwegian: "Det tilhører en annen virksomhet, og bare den og den som drifter serveren kan gjøre dette.",
    },
    AdminError {
        code: "precondition_required",
        english: "The change must say which version it is meant for: read the thing, and send its `ETag` as \
                  `If-Match`. `*` stands for whatever is there.",
        norwegian: "Endringen må si hvilken versjon den gjelder: les på nytt, og send `ETag` som `If-Match`. `*` \
                    står for det som måtte være der.",
    },
    AdminError {
        code: "stale",
        english: "Somebody else has changed it since you read it. Read it again, and change what you then see.",
        norwegian: "Noen andre har endret det siden du leste. Les på nytt, og endre det du da ser.",
    },
    AdminError {
        code: "temporarily_unavailable",
        english: "The server cannot do this at the moment. Try again; a change that may have been made is repeated \
                  safely with the same `Idempotency-Key`.",
        norwegian: "Serveren kan ikke gjøre dette akkurat nå. Prøv igjen; en endring som kan være gjort, gjentas \
                    trygt med samme `Idempotency-Key`.",
    },
    AdminError {
        code: "too_many_requests",
        english: "The client asks more often than the operator lets it, or, without a token that counts, too much \
                  comes from its address. Nothing was done. `Retry-After` says in how many seconds to ask again.",
        norwegian: "Klienten spør oftere enn den som drifter serveren tillater, eller, uten et token som gjelder, det \
                    kommer for mye fra adressen. Ingenting er gjort. `Retry-After` sier om hvor mange sekunder du kan spørre igjen.",
    },
];

/// `GET /errors/admin`
pub(super) async fn page() -> Response {
    html(render())
}

fn render() -> String {
    let sections =
        section(&ENGLISH, |error| error.english) + &section(&NORWEGIAN, |error| error.norwegian);
    document("Errors of the admin API", &format!("<h1>Admin API</h1>\n{sections}"))
}

fn section(language: &Language, text: fn(&AdminError) -> &'static str) -> String {
    let tag = language.tag;
    let items = ERRORS.iter().map(|error| {
        let code = error.code;
        // One place in the page for each code, which is where problems point to.
        let id = if tag == ENGLISH.tag { format!(" id=\"{code}\"") } else { String::new() };
        format!("<h3{id}>{code}</h3>\n<p>{}</p>\n", marked(text(error)))
    });
    format!("<section id=\"{tag}\" lang=\"{tag}\">\n{}</section>\n", items.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_need_no_escaping_and_every_code_has_its_place() {
        for AdminError { code, english, norwegian } in &ERRORS {
            for text in [code, english, norwegian] {
                assert!(!text.contains(['<', '>', '&']), "{text}");
            }
            assert_eq!(render().matches(&format!("id=\"{code}\"")).count(), 1);
        }
    }
}
