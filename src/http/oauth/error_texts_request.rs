//! What the error pages say when the assertion itself is at fault: MP-011 to MP-110, and MP-130.

use super::error_texts::{Page, Text};
use crate::token::refusal::MpCode;

pub(super) static MP_011: Page = Page {
    code: MpCode::Mp011,
    english: Text {
        title: "The assertion cannot be read",
        what: "The text in `assertion` is not a signed JWT that this server can read, so nothing \
         in it has been judged yet. It must be three parts with two dots between them. Each part \
         is base64url without padding, and the first two are JSON objects in which no member \
         appears twice.",
        causes: &[
            "It is encoded in the wrong way or once too often: padding (`=`), `+` and `/` of \
             ordinary base64, line breaks, quotation marks, or the word `Bearer` in front.",
            "Something else than the signed JWT was sent: a certificate, the JSON before it was \
             signed, a token that is not a JWT, or an encrypted JWT with five parts.",
            "The text was cut off or changed on the way, often by a limit on the length of a \
             variable or by a proxy.",
            "The header or the claims were put together by hand, so that a member such as `aud` \
             appears twice.",
        ],
        remedy: &[
            "Let a JOSE library make the JWT, and send what it returns, unchanged, as the form \
             field `assertion`.",
            "Send the form as `application/x-www-form-urlencoded`, with `grant_type` set to \
             `urn:ietf:params:oauth:grant-type:jwt-bearer`. Let the HTTP library encode the \
             values, once.",
            "Count the dots in what you send: there must be exactly two. Do not write the whole \
             text to a log.",
            "Decode the first part. You should see a JSON object such as \
             `{\"alg\":\"RS256\",\"kid\":\"my-key-2026\"}`.",
        ],
    },
    norwegian: Text {
        title: "JWT-en kan ikke leses",
        what: "Teksten i `assertion` er ikke en signert JWT som denne serveren kan lese, så \
         innholdet er ikke vurdert ennå. Den må bestå av tre deler med to punktum mellom. Hver del \
         er base64url uten utfylling, og de to første er JSON-objekter der hvert felt står bare én \
         gang.",
        causes: &[
            "Teksten er kodet på feil måte eller én gang for mye: utfyllingstegn (`=`), `+` og `/` \
             fra vanlig base64, linjeskift, anførselstegn eller ordet `Bearer` foran.",
            "Det er sendt noe annet enn den signerte JWT-en: et sertifikat, JSON-teksten før \
             signering, et token som ikke er en JWT, eller en kryptert JWT med fem deler.",
            "Teksten er kuttet eller endret underveis, ofte av en grense for hvor lang en variabel \
             kan være, eller av en proxy.",
            "Headeren eller innholdet er satt sammen for hånd, slik at et felt som `aud` står to \
             ganger.",
        ],
        remedy: &[
            "La et JOSE-bibliotek lage JWT-en, og send det biblioteket returnerer, uendret, som \
             skjemafeltet `assertion`.",
            "Send skjemaet som `application/x-www-form-urlencoded`, med `grant_type` satt til \
             `urn:ietf:params:oauth:grant-type:jwt-bearer`. La HTTP-biblioteket kode verdiene, og \
             bare én gang.",
            "Tell punktumene i det du sender: Det skal være nøyaktig to. Ikke skriv hele teksten \
             til en logg.",
            "Dekod den første delen. Du skal se et JSON-objekt som \
             `{\"alg\":\"RS256\",\"kid\":\"min-nokkel-2026\"}`.",
        ],
    },
};

pub(super) static MP_012: Page = Page {
    code: MpCode::Mp012,
    english: Text {
        title: "The assertion has been used before",
        what: "An assertion can be used for one token only. This client has already used one with \
         the same `jti`, or, where there is no `jti`, exactly this assertion. All else is in \
         order: client, key, claims and access.",
        causes: &[
            "A library makes `jti` once, when it starts, and puts the same value into every \
             assertion.",
            "The assertion is kept and sent again for the next token, or the HTTP client repeats \
             the request by itself after a timeout.",
            "Several instances of the same client make the same `jti`, for example from a counter \
             or from the time in seconds.",
            "There is no `jti`, and two assertions were made within the same second. With RS256 \
             they are then the same text.",
        ],
        remedy: &[
            "Make a new assertion for every token, with a new random `jti`, for example a UUID: \
             `\"jti\": \"5c1d2a1e-9f0b-4c62-8a57-0d6f5b8f3c11\"`.",
            "After a timeout, do not send the same assertion again. Make a new one.",
            "Keep the access token instead, and use it until shortly before `expires_in` seconds \
             have passed. Then you need far fewer assertions.",
        ],
    },
    norwegian: Text {
        title: "JWT-en er brukt før",
        what: "En JWT kan bare brukes til å hente ett token. Denne klienten har allerede brukt en \
         med samme `jti`, eller, der `jti` mangler, nøyaktig denne JWT-en. Alt annet er i orden: \
         klient, nøkkel, innhold og tilgang.",
        causes: &[
            "Et bibliotek lager `jti` én gang, når det starter, og legger samme verdi i hver JWT.",
            "JWT-en blir lagret og sendt på nytt for neste token, eller HTTP-klienten gjentar \
             forespørselen av seg selv etter et tidsavbrudd.",
            "Flere instanser av samme klient lager samme `jti`, for eksempel av en teller eller av \
             klokkeslettet i sekunder.",
            "`jti` mangler, og to JWT-er er laget i samme sekund. Med RS256 blir de da helt like.",
        ],
        remedy: &[
            "Lag en ny JWT for hvert token, med en ny og tilfeldig `jti`, for eksempel en UUID: \
             `\"jti\": \"5c1d2a1e-9f0b-4c62-8a57-0d6f5b8f3c11\"`.",
            "Ikke send samme JWT på nytt etter et tidsavbrudd. Lag en ny.",
            "Ta heller vare på tilgangstokenet, og bruk det til like før det har gått `expires_in` \
             sekunder. Da trenger du langt færre JWT-er.",
        ],
    },
};

pub(super) static MP_100: Page = Page {
    code: MpCode::Mp100,
    english: Text {
        title: "The client does not exist here",
        what: "No active client on this server has the id that is in `iss`. The id is compared \
         character by character. The key has not been looked at yet.",
        causes: &[
            "`iss` is something else than the client id: the organization number (`310000108`), \
             the name of the client, or the address of this server.",
            "The client was made in another environment, for example in test, while you call \
             production.",
            "The client has been deactivated.",
            "The id is cut off, or has a space, a quotation mark or a line break too many. That \
             often comes from an environment variable.",
        ],
        remedy: &[
            "Find the client in the portal and copy its id. It belongs in `iss`: `\"iss\": \
             \"0b1d9a52-7c34-4f0e-9d1c-2f8f0e6a7b10\"`.",
            "Check that the token endpoint you call belongs to the environment in which the client \
             was made. Client ids are not shared between environments.",
            "If the client has been deactivated, someone who manages the clients of your \
             organization can restore it. It works again within one second.",
        ],
    },
    norwegian: Text {
        title: "Klienten finnes ikke her",
        what: "Ingen aktiv klient på denne serveren har ID-en som står i `iss`. ID-en sammenlignes \
         tegn for tegn. Nøkkelen er ikke kontrollert ennå.",
        causes: &[
            "`iss` er noe annet enn klient-ID-en: organisasjonsnummeret (`310000108`), navnet på \
             klienten eller adressen til denne serveren.",
            "Klienten er opprettet i et annet miljø, for eksempel i test, mens du kaller \
             produksjon.",
            "Klienten er deaktivert.",
            "ID-en er avkuttet, eller har et mellomrom, et anførselstegn eller et linjeskift for \
             mye. Det kommer ofte fra en miljøvariabel.",
        ],
        remedy: &[
            "Finn klienten i portalen og kopier ID-en. Den skal stå i `iss`: `\"iss\": \
             \"0b1d9a52-7c34-4f0e-9d1c-2f8f0e6a7b10\"`.",
            "Kontroller at token-endepunktet du kaller, hører til miljøet der klienten er \
             opprettet. Klient-ID-er deles ikke mellom miljøer.",
            "Hvis klienten er deaktivert, kan en som administrerer klientene til virksomheten, \
             gjenopprette den. Den virker igjen innen ett sekund.",
        ],
    },
};

pub(super) static MP_110: Page = Page {
    code: MpCode::Mp110,
    english: Text {
        title: "The assertion is meant for another recipient",
        what: "`aud` must be the issuer of this server, character by character, and nothing else. \
         The reply says what it must be. Client, key and signature are in order.",
        causes: &[
            "The slash at the end is missing: `https://tokens.example.org` instead of \
             `https://tokens.example.org/`.",
            "`aud` is the token endpoint, `https://tokens.example.org/token`. Many OAuth libraries \
             do this unless told otherwise.",
            "`aud` belongs to another environment or another server.",
            "`aud` is the API that the token is for. That address belongs in `resource`.",
            "`aud` is a list of several values.",
        ],
        remedy: &[
            "Open `/.well-known/oauth-authorization-server` on this server and copy the value of \
             `issuer`.",
            "Put it into the assertion as it is, slash included: `\"aud\": \
             \"https://tokens.example.org/\"`. In a library, look for a setting named audience.",
            "Keep issuer, token endpoint and client id of one environment together in your \
             configuration, so that they always change together.",
        ],
    },
    norwegian: Text {
        title: "JWT-en er ment for en annen mottaker",
        what: "`aud` må være issuer for denne serveren, tegn for tegn, og ikke noe annet. Svaret \
         sier hva verdien må være. Klient, nøkkel og signatur er i orden.",
        causes: &[
            "Skråstreken til slutt mangler: `https://tokens.example.org` i stedet for \
             `https://tokens.example.org/`.",
            "`aud` er token-endepunktet, `https://tokens.example.org/token`. Det gjør mange \
             OAuth-biblioteker hvis de ikke får beskjed om noe annet.",
            "`aud` hører til et annet miljø eller en annen server.",
            "`aud` er API-et som tokenet skal brukes mot. Den adressen hører hjemme i `resource`.",
            "`aud` er en liste med flere verdier.",
        ],
        remedy: &[
            "Åpne `/.well-known/oauth-authorization-server` på denne serveren og kopier verdien av \
             `issuer`.",
            "Legg den inn i JWT-en slik den er, med skråstrek: `\"aud\": \
             \"https://tokens.example.org/\"`. I et bibliotek heter innstillingen gjerne audience.",
            "Hold issuer, token-endepunkt og klient-ID for ett miljø samlet i konfigurasjonen, \
             slik at de alltid endres sammen.",
        ],
    },
};

pub(super) static MP_130: Page = Page {
    code: MpCode::Mp130,
    english: Text {
        title: "The times in the assertion are wrong",
        what: "`iat` says when the assertion was made and `exp` when it ends, both as whole \
         seconds since 1970 in UTC. Unless this server is set up otherwise, the assertion may live \
         for at most 120 seconds, and clocks may differ by 10 seconds. The reply says which time \
         is wrong and what our clock shows.",
        causes: &[
            "The clock of the client is wrong, for example on a virtual machine or a container \
             that has been asleep.",
            "The difference is exactly one or two hours: local time was used instead of UTC.",
            "The assertion lives too long. Many libraries set `exp` to an hour after `iat` unless \
             told otherwise.",
            "The times are milliseconds: `1795374000000` instead of `1795374000`.",
            "The assertion was made well before it was sent, because it was kept or waited in a \
             queue.",
        ],
        remedy: &[
            "Compare the server time in the reply with your own: `date -u +%s` must give nearly \
             the same number. Let NTP keep the clock right.",
            "Make the assertion right before it is sent, with `iat` as now and `exp` one minute \
             later: `\"iat\": 1795374000, \"exp\": 1795374060`.",
            "If the assertion has `nbf`, set it to the same as `iat`, or leave it out.",
        ],
    },
    norwegian: Text {
        title: "Tidspunktene i JWT-en er feil",
        what: "`iat` sier når JWT-en ble laget, og `exp` når den utløper, begge som hele sekunder \
         siden 1970 i UTC. Hvis ikke denne serveren er satt opp annerledes, kan JWT-en ha en \
         levetid på høyst 120 sekunder, og klokkene kan avvike med 10 sekunder. Svaret sier \
         hvilket tidspunkt som er feil, og hva vår klokke viser.",
        causes: &[
            "Klokken hos klienten går feil, for eksempel på en virtuell maskin eller i en \
             container som har vært i dvale.",
            "Avviket er nøyaktig én eller to timer: Lokal tid er brukt i stedet for UTC.",
            "Levetiden er for lang. Mange biblioteker setter `exp` til en time etter `iat` hvis de \
             ikke får beskjed om noe annet.",
            "Tidspunktene er oppgitt i millisekunder: `1795374000000` i stedet for `1795374000`.",
            "JWT-en ble laget lenge før den ble sendt, fordi den var lagret eller sto i kø.",
        ],
        remedy: &[
            "Sammenlign servertiden i svaret med din egen: `date -u +%s` skal gi nesten samme \
             tall. La NTP holde klokken riktig.",
            "Lag JWT-en rett før den sendes, med `iat` lik tidspunktet nå og `exp` ett minutt \
             senere: `\"iat\": 1795374000, \"exp\": 1795374060`.",
            "Hvis JWT-en har `nbf`, setter du den lik `iat`, eller fjerner den.",
        ],
    },
};
