//! What the error pages say when the key, the certificate or the signature is at fault: MP-120 to MP-124.

use super::error_texts::{Page, Text};
use crate::token::refusal::MpCode;

pub(super) static MP_120: Page = Page {
    code: MpCode::Mp120,
    english: Text {
        title: "The certificate is not accepted",
        what: "The certificate in `x5c` can be read, but it fails a check. The reply names the \
         check, for example `validity`, `path`, `policy`, `key usage`, `revocation` or \
         `organization`.",
        causes: &[
            "The certificate is for the wrong environment: a test certificate in production, or \
             the other way round (`path`, `policy`).",
            "It has expired or is not valid yet (`validity`), or its issuer has revoked it \
             (`revocation`).",
            "It is not an enterprise certificate from an authority that this server accepts. It is \
             self-signed, or was issued to a web server or to an employee (`path`, `policy`, \
             `extended key usage`, `organization`).",
            "Enterprise certificates often come in sets, and the one for encryption was used \
             instead of the one for signatures (`key usage`).",
            "`alg` does not fit the key in the certificate, for example `ES256` with an RSA key \
             (`key algorithm`).",
        ],
        remedy: &[
            "Read the name of the check in the reply. Then look at the certificate: `openssl x509 \
             -in certificate.pem -noout -subject -issuer -dates`.",
            "To make the same checks on your own machine, with the certificates of the accepted \
             authorities in a file: `portvakt cert verify --anchors anchors.pem chain.pem`.",
            "Use the certificate for signatures, and one that belongs to the environment you call.",
            "If it has expired or been revoked, order a new one from the issuer, and replace the \
             certificate and the private key together.",
        ],
    },
    norwegian: Text {
        title: "Sertifikatet godtas ikke",
        what: "Sertifikatet i `x5c` kan leses, men det består ikke en av kontrollene. Svaret \
         oppgir hvilken, for eksempel `validity`, `path`, `policy`, `key usage`, `revocation` \
         eller `organization`.",
        causes: &[
            "Sertifikatet hører til feil miljø: et testsertifikat i produksjon, eller omvendt \
             (`path`, `policy`).",
            "Det er utløpt eller ikke gyldig ennå (`validity`), eller utstederen har trukket det \
             tilbake (`revocation`).",
            "Det er ikke et virksomhetssertifikat fra en utsteder som denne serveren godtar. Det \
             er selvsignert, eller utstedt til en webserver eller en ansatt (`path`, `policy`, \
             `extended key usage`, `organization`).",
            "Virksomhetssertifikater leveres ofte i sett, og det for kryptering er brukt i stedet \
             for det for signering (`key usage`).",
            "`alg` passer ikke til nøkkelen i sertifikatet, for eksempel `ES256` med en RSA-nøkkel \
             (`key algorithm`).",
        ],
        remedy: &[
            "Les navnet på kontrollen i svaret. Se så på sertifikatet: `openssl x509 -in \
             certificate.pem -noout -subject -issuer -dates`.",
            "Slik gjør du de samme kontrollene på din egen maskin, med sertifikatene til de \
             godtatte utstederne i en fil: `portvakt cert verify --anchors anchors.pem chain.pem`.",
            "Bruk virksomhetssertifikatet for signering, og ett som hører til miljøet du kaller.",
            "Hvis det er utløpt eller trukket tilbake, bestiller du et nytt fra utstederen. Bytt \
             sertifikatet og den private nøkkelen samtidig.",
        ],
    },
};

pub(super) static MP_121: Page = Page {
    code: MpCode::Mp121,
    english: Text {
        title: "The key has expired",
        what: "The key that `kid` names is registered on the client, but it has expired. \
         Registered keys have an end date, one year after they were registered if no other was \
         chosen. The reply says when this one expired.",
        causes: &[
            "Nobody replaced the key in time. It worked for a year, and nothing else has changed.",
            "A new key has been registered, but the application still signs with the old one and \
             sends its `kid`.",
            "The key was registered with an earlier end date (`exp`) than intended.",
        ],
        remedy: &[
            "Make a new key pair. The private key stays with you; only the public key is \
             registered.",
            "Register the public key on the client in the portal, with a `kid` of its own, for \
             example `my-key-2027`. It can be used within one second.",
            "Give the application the new private key and the new `kid`, and fetch a token. Then \
             remove the old key.",
            "Write down the end date of the new key, and register the next one some weeks before \
             it. A client can have several keys at the same time, so a change need not stop \
             anything.",
        ],
    },
    norwegian: Text {
        title: "Nøkkelen er utløpt",
        what: "Nøkkelen som `kid` viser til, er registrert på klienten, men den er utløpt. \
         Registrerte nøkler har en sluttdato, ett år etter registrering hvis ikke noe annet ble \
         valgt. Svaret sier når denne utløp.",
        causes: &[
            "Ingen byttet nøkkelen i tide. Den virket i ett år, og ingenting annet er endret.",
            "En ny nøkkel er registrert, men applikasjonen signerer fortsatt med den gamle og \
             sender dens `kid`.",
            "Nøkkelen ble registrert med en tidligere sluttdato (`exp`) enn tenkt.",
        ],
        remedy: &[
            "Lag et nytt nøkkelpar. Den private nøkkelen blir hos deg; bare den offentlige \
             nøkkelen skal registreres.",
            "Registrer den offentlige nøkkelen på klienten i portalen, med en egen `kid`, for \
             eksempel `min-nokkel-2027`. Den kan brukes innen ett sekund.",
            "Gi applikasjonen den nye private nøkkelen og den nye `kid`-verdien, og hent et token. \
             Fjern deretter den gamle nøkkelen.",
            "Noter sluttdatoen for den nye nøkkelen, og registrer den neste noen uker før. En \
             klient kan ha flere nøkler samtidig, så et nøkkelbytte trenger ikke å stoppe noe.",
        ],
    },
};

pub(super) static MP_122: Page = Page {
    code: MpCode::Mp122,
    english: Text {
        title: "The certificate belongs to another organization",
        what: "The certificate is valid, but the organization number in it is not that of the \
         organization that owns the client. The reply says whose certificate it is.",
        causes: &[
            "A supplier signs with its own certificate, but uses a client that the customer owns.",
            "The client was made for another unit than the one in the certificate: a main entity \
             and its sub-entities have different numbers.",
            "The certificate is from before a merger or a reorganization.",
            "The wrong certificate was picked from a key store with several, or client id and \
             certificate come from different environments.",
        ],
        remedy: &[
            "Compare the two numbers: the owner of the client in the portal, `310000108`, and \
             `organizationIdentifier` in the certificate, `NTRNO-310000108`.",
            "Sign with a certificate of the organization that owns the client, or use a client \
             that is owned by the organization in the certificate.",
            "Suppliers use a client of their own and their own certificate, and name the customer \
             in the assertion: `\"consumer_org\": \"310000108\"`. The customer must have delegated \
             the scope to the supplier first.",
        ],
    },
    norwegian: Text {
        title: "Sertifikatet tilhører en annen virksomhet",
        what: "Sertifikatet er gyldig, men organisasjonsnummeret i det er ikke det samme som hos \
         virksomheten som eier klienten. Svaret sier hvem sertifikatet tilhører.",
        causes: &[
            "En leverandør signerer med sitt eget virksomhetssertifikat, men bruker en klient som \
             kunden eier.",
            "Klienten er opprettet for en annen enhet enn den i sertifikatet: En hovedenhet og \
             dens underenheter har ulike numre.",
            "Sertifikatet er fra før en sammenslåing eller omorganisering.",
            "Feil sertifikat er hentet fra et nøkkellager med flere, eller klient-ID og sertifikat \
             kommer fra ulike miljøer.",
        ],
        remedy: &[
            "Sammenlign de to numrene: eieren av klienten i portalen, `310000108`, og \
             `organizationIdentifier` i sertifikatet, `NTRNO-310000108`.",
            "Signer med et virksomhetssertifikat fra virksomheten som eier klienten, eller bruk en \
             klient som eies av virksomheten i sertifikatet.",
            "Leverandører bruker sin egen klient og sitt eget virksomhetssertifikat, og oppgir \
             kunden i JWT-en: `\"consumer_org\": \"310000108\"`. Kunden må først ha delegert \
             scopet til leverandøren.",
        ],
    },
};

pub(super) static MP_123: Page = Page {
    code: MpCode::Mp123,
    english: Text {
        title: "The x5c header cannot be read",
        what: "`x5c` must be an array of one to six certificates, each as DER in ordinary base64, \
         not base64url. The certificate that belongs to the signing key comes first, and each is \
         followed by its issuer. Whether they are valid has not been judged yet.",
        causes: &[
            "`x5c` is a text and not an array: `\"x5c\": \"MIIF...\"` instead of `\"x5c\": \
             [\"MIIF...\"]`.",
            "The PEM text was put in as it is, with `-----BEGIN CERTIFICATE-----`, or was encoded \
             as base64 once more.",
            "The whole chain is in one element, or the root comes first.",
            "`kid` and `x5c` have been mixed up: a key id, a thumbprint or a public key is where \
             the certificate should be.",
            "`x5t` or `x5t#S256` is there as well, and belongs to another certificate.",
        ],
        remedy: &[
            "Make one element from one certificate: `openssl x509 -in certificate.pem -outform DER \
             | openssl base64 -A`.",
            "Put your own certificate first and the intermediates after it. The root can be left \
             out. Your own alone is often enough, because the server knows the usual \
             intermediates.",
            "Has the client registered keys? Then leave `x5c` out and name the key with `kid`. The \
             header can have only one of them.",
        ],
    },
    norwegian: Text {
        title: "Headeren x5c kan ikke leses",
        what: "`x5c` må være en liste med ett til seks sertifikater, hvert som DER i vanlig \
         base64, ikke base64url. Sertifikatet som hører til signeringsnøkkelen, står først, og \
         hvert sertifikat følges av utstederens. Om de er gyldige, er ikke vurdert ennå.",
        causes: &[
            "`x5c` er en tekst og ikke en liste: `\"x5c\": \"MIIF...\"` i stedet for `\"x5c\": \
             [\"MIIF...\"]`.",
            "PEM-teksten er satt inn som den er, med `-----BEGIN CERTIFICATE-----`, eller kodet \
             som base64 én gang til.",
            "Hele kjeden står i ett element, eller rotsertifikatet står først.",
            "`kid` og `x5c` er blandet sammen: En nøkkel-ID, et fingeravtrykk eller en offentlig \
             nøkkel står der sertifikatet skulle stått.",
            "`x5t` eller `x5t#S256` er også med, og hører til et annet sertifikat.",
        ],
        remedy: &[
            "Lag ett element av ett sertifikat: `openssl x509 -in certificate.pem -outform DER | \
             openssl base64 -A`.",
            "Sett ditt eget sertifikat først og mellomsertifikatene etter. Rotsertifikatet kan \
             utelates. Ofte er ditt eget nok, fordi serveren kjenner de vanlige \
             mellomsertifikatene.",
            "Har klienten registrerte nøkler? Da utelater du `x5c` og viser til nøkkelen med \
             `kid`. Headeren kan bare ha én av dem.",
        ],
    },
};

pub(super) static MP_124: Page = Page {
    code: MpCode::Mp124,
    english: Text {
        title: "The signature is wrong",
        what: "The key was found, but the signature does not fit it. Either the assertion was \
         signed with another private key, or it is not the text that was signed.",
        causes: &[
            "The private key does not belong to the public key that is registered under this \
             `kid`. This often follows a change of keys in which only one half was replaced.",
            "With `x5c`: the first certificate is not the one that belongs to the private key, for \
             example because the PKCS#12 file holds several.",
            "The JWT was changed after it was signed, for example read and written anew.",
            "`alg` says one thing and the code does another: `RS256` in the header, but SHA-512 or \
             PSS when signing.",
            "An ECDSA signature is sent as DER, the way OpenSSL and many key stores make it. JWTs \
             use the two numbers one after the other, 64 bytes for `ES256`.",
        ],
        remedy: &[
            "Find out which private key the application really uses. Print its public half with \
             `openssl pkey -in key.pem -pubout`.",
            "Compare it with the key that is registered on the client, or with the certificate: \
             `openssl x509 -in certificate.pem -noout -pubkey`. The two must be the same.",
            "If they differ, use the right private key, or register the right public key under a \
             new `kid`.",
            "If they are the same, let a JOSE library sign, and send what it returns unchanged.",
        ],
    },
    norwegian: Text {
        title: "Signaturen er feil",
        what: "Nøkkelen ble funnet, men signaturen passer ikke til den. Enten er JWT-en signert \
         med en annen privat nøkkel, eller så er den ikke lenger den teksten som ble signert.",
        causes: &[
            "Den private nøkkelen hører ikke til den offentlige nøkkelen som er registrert med \
             denne `kid`-verdien. Det skjer ofte etter et nøkkelbytte der bare den ene halvdelen \
             ble byttet.",
            "Med `x5c`: Det første sertifikatet er ikke det som hører til den private nøkkelen, \
             for eksempel fordi PKCS#12-filen har flere.",
            "JWT-en er endret etter signering, for eksempel lest inn og skrevet ut på nytt.",
            "`alg` sier én ting, og koden gjør noe annet: `RS256` i headeren, men SHA-512 eller \
             PSS ved signering.",
            "En ECDSA-signatur er sendt som DER, slik OpenSSL og mange nøkkellagre lager den. En \
             JWT skal ha de to tallene etter hverandre, 64 byte for `ES256`.",
        ],
        remedy: &[
            "Finn ut hvilken privat nøkkel applikasjonen faktisk bruker. Skriv ut den offentlige \
             halvdelen med `openssl pkey -in key.pem -pubout`.",
            "Sammenlign den med nøkkelen som er registrert på klienten, eller med sertifikatet: \
             `openssl x509 -in certificate.pem -noout -pubkey`. De to må være like.",
            "Hvis de er ulike, bruker du riktig privat nøkkel, eller registrerer riktig offentlig \
             nøkkel med en ny `kid`.",
            "Hvis de er like, lar du et JOSE-bibliotek signere og sender det biblioteket \
             returnerer, uendret.",
        ],
    },
};
