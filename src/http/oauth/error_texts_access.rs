//! What the error pages say when the client may not have what it asks for: MP-200 to MP-303.

use super::error_texts::{Page, Text};
use crate::token::refusal::MpCode;

pub(super) static MP_200: Page = Page {
    code: MpCode::Mp200,
    english: Text {
        title: "The client does not have the scope",
        what: "The assertion asks for a scope that has not been added to the client or that its \
         owner has deactivated, or `scope` is not scope names with one space between them. One \
         such scope is enough: there are no tokens for a part of what was asked for.",
        causes: &[
            "Your organization has access to the scope, but nobody has added the scope to this \
             client.",
            "The name is misspelt. Upper and lower case differ: `example:orders.Read` is not \
             `example:orders.read`.",
            "The scopes are separated by commas, line breaks or two spaces.",
            "The scope exists only in the other environment, or has been deactivated.",
            "The scope has been added to another of your clients than the one in `iss`.",
            "You are known by your certificate for electronic seals alone, and the owner of the \
             scope has not opened it to European businesses.",
        ],
        remedy: &[
            "Open the client in the portal. If the scope is not in its list, add it. It can be \
             used within one second.",
            "Copy the name from the list: `\"scope\": \"example:orders.read\"`. Two scopes have \
             one space between them: `\"scope\": \"example:orders.read example:orders.write\"`.",
            "If you cannot add the scope, ask the API provider whether it is active and whether \
             your organization, `310000108`, has access.",
        ],
    },
    norwegian: Text {
        title: "Klienten har ikke scopet",
        what: "JWT-en ber om et scope som ikke er lagt til på klienten eller som eieren har \
         deaktivert, eller `scope` er ikke scope-navn med ett mellomrom mellom. Ett slikt scope er \
         nok: Det utstedes ikke token for bare en del av det du ber om.",
        causes: &[
            "Virksomheten har tilgang til scopet, men ingen har lagt det til på denne klienten.",
            "Navnet er skrevet feil. Store og små bokstaver er forskjellige: `example:orders.Read` \
             er ikke `example:orders.read`.",
            "Scopene er skilt med komma, linjeskift eller to mellomrom.",
            "Scopet finnes bare i det andre miljøet, eller er deaktivert.",
            "Scopet er lagt til på en annen av klientene deres enn den i `iss`.",
            "Dere er bare kjent ved sertifikatet deres for elektroniske segl, og eieren har ikke \
             åpnet scopet for europeiske virksomheter.",
        ],
        remedy: &[
            "Åpne klienten i portalen. Hvis scopet ikke står i listen, legger du det til. Det kan \
             brukes innen ett sekund.",
            "Kopier navnet fra listen: `\"scope\": \"example:orders.read\"`. To scopes skilles med \
             ett mellomrom: `\"scope\": \"example:orders.read example:orders.write\"`.",
            "Hvis du ikke kan legge til scopet, spør du API-tilbyderen om det er aktivt, og om \
             virksomheten, `310000108`, har tilgang.",
        ],
    },
};

pub(super) static MP_201: Page = Page {
    code: MpCode::Mp201,
    english: Text {
        title: "The scope is not for machines",
        what: "The scope is on the client, but it is meant for services where a person logs in. \
         This server issues tokens to machines, and such a scope is not open to them.",
        causes: &[
            "The API has one scope for logged-in persons and another for machines, and the first \
             was asked for.",
            "The configuration was copied from a client that logs people in.",
            "The owner of the scope has not opened it for machines.",
        ],
        remedy: &[
            "Find in the documentation of the API which scope is for machines, for example \
             `example:orders.read`, and ask for that one.",
            "Remove the other scope from the assertion and from the client.",
            "If there is no scope for machines, ask the API provider. The owner decides in the \
             portal which kinds of clients can use a scope.",
        ],
    },
    norwegian: Text {
        title: "Scopet er ikke for maskiner",
        what: "Scopet står på klienten, men det er ment for tjenester der en person logger inn. \
         Denne serveren utsteder token til maskiner, og et slikt scope er ikke åpent for dem.",
        causes: &[
            "API-et har ett scope for innloggede personer og et annet for maskiner, og det første \
             er brukt.",
            "Konfigurasjonen er kopiert fra en klient som logger inn personer.",
            "Eieren av scopet har ikke åpnet det for maskiner.",
        ],
        remedy: &[
            "Finn ut i dokumentasjonen til API-et hvilket scope som er for maskiner, for eksempel \
             `example:orders.read`, og be om det.",
            "Fjern det andre scopet fra JWT-en og fra klienten.",
            "Hvis det ikke finnes noe scope for maskiner, spør du API-tilbyderen. Eieren bestemmer \
             i portalen hva slags klienter som kan bruke et scope.",
        ],
    },
};

pub(super) static MP_250: Page = Page {
    code: MpCode::Mp250,
    english: Text {
        title: "The organization has no access to the scope",
        what: "The owner of the scope has not given the consumer access, or the access no longer \
         holds. The consumer is the organization in `consumer_org`; without `consumer_org` it is \
         the one that owns the client. The client itself and its key are in order.",
        causes: &[
            "The API provider has not given access yet, or has given it in another environment.",
            "Access was given to another organization number: a sub-entity instead of the main \
             entity, or the supplier instead of its customer.",
            "A supplier leaves `consumer_org` out, or spells it otherwise, for example \
             `consumer_orgno`. Then the supplier itself counts as the consumer.",
            "The access has been refused or withdrawn, or its end date has passed. A request that \
             nobody has answered does not count either.",
        ],
        remedy: &[
            "Consumer: ask the API provider to give your organization access. Say which \
             organization number (for example `310000108`), which scope and which environment.",
            "Supplier: name the customer in the assertion, `\"consumer_org\": \"310000108\"`. The \
             customer must have access; yours does not count.",
            "API provider: open the scope in the portal and give the organization number access. \
             It holds within one second.",
            "Then fetch a token with a new assertion. Nothing has to be changed on the client.",
        ],
    },
    norwegian: Text {
        title: "Virksomheten har ikke tilgang til scopet",
        what: "Eieren av scopet har ikke gitt konsumenten tilgang, eller tilgangen gjelder ikke \
         lenger. Konsumenten er virksomheten i `consumer_org`; uten `consumer_org` er det \
         virksomheten som eier klienten. Selve klienten og nøkkelen er i orden.",
        causes: &[
            "API-tilbyderen har ikke gitt tilgang ennå, eller har gitt den i et annet miljø.",
            "Tilgangen er gitt til et annet organisasjonsnummer: en underenhet i stedet for \
             hovedenheten, eller leverandøren i stedet for kunden.",
            "En leverandør utelater `consumer_org` eller skriver det på en annen måte, for \
             eksempel `consumer_orgno`. Da regnes leverandøren selv som konsument.",
            "Tilgangen er avslått eller trukket tilbake, eller sluttdatoen er passert. En \
             forespørsel om tilgang som ingen har svart på, teller heller ikke.",
        ],
        remedy: &[
            "Konsument: Be API-tilbyderen om å gi virksomheten tilgang. Oppgi organisasjonsnummer \
             (for eksempel `310000108`), scope og miljø.",
            "Leverandør: Oppgi kunden i JWT-en, `\"consumer_org\": \"310000108\"`. Det er kunden \
             som må ha tilgang; din egen teller ikke.",
            "API-tilbyder: Åpne scopet i portalen og gi organisasjonsnummeret tilgang. Den gjelder \
             innen ett sekund.",
            "Hent deretter et token med en ny JWT. Ingenting trenger å endres på klienten.",
        ],
    },
};

pub(super) static MP_251: Page = Page {
    code: MpCode::Mp251,
    english: Text {
        title: "The scope has not been delegated to the supplier",
        what: "Your client asks on behalf of another organization, and there is no delegation in \
         force that lets your organization use the scope for it. The reply names the three: \
         consumer, scope and supplier.",
        causes: &[
            "The customer has not delegated yet, or has delegated another scope.",
            "The delegation is to another organization number than the one that owns the client, \
             or is from another than the one in `consumer_org`.",
            "The delegation has ended or been withdrawn, or does not begin until later.",
            "The owner of the scope does not allow delegation, or accepts delegations from another \
             register than the one that was used.",
            "`consumer_org` was copied from an example, though you act for nobody but yourselves.",
        ],
        remedy: &[
            "Compare consumer, scope and supplier in the reply with what you meant.",
            "Ask the customer to delegate the scope to the organization number that owns the \
             client, in the register that the API provider points to. Someone with the right to do \
             so in that register must do it.",
            "Name the customer with nine digits as a text, without `0192:` and without spaces: \
             `\"consumer_org\": \"310000108\"`.",
            "If the token is for your own organization, leave `consumer_org` out.",
            "API provider: check in the portal that the scope has a delegation source.",
        ],
    },
    norwegian: Text {
        title: "Scopet er ikke delegert til leverandøren",
        what: "Klienten ber om token på vegne av en annen virksomhet, og det finnes ingen gyldig \
         delegering som lar din virksomhet bruke scopet for den. Svaret oppgir alle tre: \
         konsument, scope og leverandør.",
        causes: &[
            "Kunden har ikke delegert ennå, eller har delegert et annet scope.",
            "Delegeringen er gitt til et annet organisasjonsnummer enn det som eier klienten, \
             eller fra et annet enn det i `consumer_org`.",
            "Delegeringen er utløpt eller trukket tilbake, eller gjelder først fra et senere \
             tidspunkt.",
            "Eieren av scopet tillater ikke delegering, eller godtar delegeringer fra en annen \
             kilde enn den som er brukt.",
            "`consumer_org` er kopiert fra et eksempel, selv om dere bare opptrer for dere selv.",
        ],
        remedy: &[
            "Sammenlign konsument, scope og leverandør i svaret med det du mente.",
            "Be kunden delegere scopet til organisasjonsnummeret som eier klienten, i den \
             delegeringskilden API-tilbyderen viser til. Det må gjøres av en som har rett til det \
             der.",
            "Oppgi kunden med ni sifre som tekst, uten `0192:` og uten mellomrom: \
             `\"consumer_org\": \"310000108\"`.",
            "Hvis tokenet er for din egen virksomhet, utelater du `consumer_org`.",
            "API-tilbyder: Kontroller i portalen at scopet har en delegeringskilde.",
        ],
    },
};

pub(super) static MP_301: Page = Page {
    code: MpCode::Mp301,
    english: Text {
        title: "Unknown type of authorization details",
        what: "The assertion has `authorization_details`. This server issues no tokens with \
         authorization details yet, whatever their type.",
        causes: &[
            "The client asks for a token for a system user (`urn:altinn:systemuser`) or for a \
             consent (`urn:altinn:consent`).",
            "An application that gets such tokens elsewhere has been pointed at this server.",
            "`authorization_details` was copied from an example, though the API asks only for a \
             scope.",
        ],
        remedy: &[
            "Find in the documentation of the API whether it needs authorization details in the \
             token.",
            "If it does not, remove `authorization_details` from the assertion and keep the rest, \
             for example `\"scope\": \"example:orders.read\"`.",
            "If it does, fetch the token from a server that issues such tokens. Another type does \
             not help here.",
        ],
    },
    norwegian: Text {
        title: "Ukjent type i authorization_details",
        what: "JWT-en har `authorization_details`. Denne serveren utsteder foreløpig ikke token \
         med slike detaljer, uansett type.",
        causes: &[
            "Klienten ber om token for en systembruker (`urn:altinn:systemuser`) eller for et \
             samtykke (`urn:altinn:consent`).",
            "En applikasjon som får slike token et annet sted, er satt opp til å bruke denne \
             serveren.",
            "`authorization_details` er kopiert fra et eksempel, selv om API-et bare krever et \
             scope.",
        ],
        remedy: &[
            "Finn ut i dokumentasjonen til API-et om det krever `authorization_details` i tokenet.",
            "Hvis ikke, fjerner du `authorization_details` fra JWT-en og beholder resten, for \
             eksempel `\"scope\": \"example:orders.read\"`.",
            "Hvis det gjør det, må du hente tokenet fra en server som utsteder slike token. En \
             annen type hjelper ikke her.",
        ],
    },
};

pub(super) static MP_302: Page = Page {
    code: MpCode::Mp302,
    english: Text {
        title: "Authorization details in the wrong form",
        what: "`authorization_details` must be an array of one or more objects, each with a `type` \
         that is a text. This one is not. Besides, this server issues no tokens with authorization \
         details yet.",
        causes: &[
            "It is an object and not an array: `{\"type\": \"urn:altinn:systemuser\"}` instead of \
             `[{\"type\": \"urn:altinn:systemuser\"}]`.",
            "The JSON was put in as a text, with quotation marks around it.",
            "`type` is missing, or the array is empty.",
        ],
        remedy: &[
            "If the API does not need authorization details, remove `authorization_details` from \
             the assertion.",
            "If it does, correct the form, and fetch the token from a server that issues such \
             tokens. This one answers MP-301 when the form is right.",
        ],
    },
    norwegian: Text {
        title: "Feil form på authorization_details",
        what: "`authorization_details` må være en liste med ett eller flere objekter, hvert med en \
         `type` som er en tekst. Det er den ikke her. Dessuten utsteder denne serveren foreløpig \
         ikke token med slike detaljer.",
        causes: &[
            "Verdien er et objekt og ikke en liste: `{\"type\": \"urn:altinn:systemuser\"}` i \
             stedet for `[{\"type\": \"urn:altinn:systemuser\"}]`.",
            "JSON-teksten er satt inn som tekst, med anførselstegn rundt.",
            "`type` mangler, eller listen er tom.",
        ],
        remedy: &[
            "Hvis API-et ikke krever det, fjerner du `authorization_details` fra JWT-en.",
            "Hvis API-et krever det, retter du formen og henter tokenet fra en server som utsteder \
             slike token. Denne svarer MP-301 når formen er riktig.",
        ],
    },
};

pub(super) static MP_303: Page = Page {
    code: MpCode::Mp303,
    english: Text {
        title: "Authorization details that match nothing",
        what: "The form is right, but nothing that is registered fits what `authorization_details` \
         asks for. This server does not send this code: it issues no tokens with authorization \
         details yet. Maskinporten does, and the page is here for those who meet the code.",
        causes: &[
            "The system user does not exist, or the customer has not approved it.",
            "`systemuser_org` is not the customer. It is written `0192:310000108`.",
            "`externalRef` is missing or another than the one the system user was made with.",
            "The system is registered with another client id than the one in `iss`.",
        ],
        remedy: &[
            "See from the address in `error_uri` which server has sent the code.",
            "If it was another server, compare the four points above with what is registered \
             there.",
            "To fetch a token from this server, remove `authorization_details` from the assertion.",
        ],
    },
    norwegian: Text {
        title: "Ingen treff for authorization_details",
        what: "Formen er riktig, men ingenting som er registrert, passer til det \
         `authorization_details` ber om. Denne serveren sender ikke denne koden: Den utsteder \
         foreløpig ikke token med slike detaljer. Det gjør Maskinporten, og siden er her for dem \
         som møter koden.",
        causes: &[
            "Systembrukeren finnes ikke, eller kunden har ikke godkjent den.",
            "`systemuser_org` er ikke kunden. Verdien skrives `0192:310000108`.",
            "`externalRef` mangler eller er en annen enn den systembrukeren ble opprettet med.",
            "Systemet er registrert med en annen klient-ID enn den i `iss`.",
        ],
        remedy: &[
            "Se av adressen i `error_uri` hvilken server som har sendt koden.",
            "Hvis det var en annen server, sammenligner du de fire punktene over med det som er \
             registrert der.",
            "Vil du hente et token fra denne serveren, fjerner du `authorization_details` fra \
             JWT-en.",
        ],
    },
};
