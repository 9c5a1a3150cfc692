//! Alerts in Norwegian bokmål.

use crate::registry::alerts::texts::{Subjects, Texts};

pub(super) const TEXTS: Texts = Texts {
    subject: "{environment}: {what}",
    subject_of_several: "{environment}: {count} varsler",
    opening: "Varsler til {organization} ({number}) fra {issuer}",
    said: "{organization} skriver:",
    portal: "Se alt i portalen: {address}",
    closing: "Du får denne e-posten fordi adressen er et varslingspunkt for virksomheten. Varslingspunkter endres i \
              virksomhetens forretningsdata.",
    subjects: Subjects {
        access_decided: "en forespørsel om tilgang er besvart",
        access_requested: "noen ber om tilgang",
        access_withdrawn: "en tilgang er trukket tilbake",
        certificate_expiring: "et sertifikat utløper snart",
        key_expiring: "en nøkkel utløper snart",
        prefix_requested: "noen ber om et prefiks",
        scope_deactivated: "et scope er deaktivert",
    },
    access_granted: "{organization} har gitt virksomheten din tilgang til scopet {scope}. Legg det på en klient for å \
                     bruke det.",
    access_denied: "{organization} har avslått å gi virksomheten din tilgang til scopet {scope}.",
    access_requested: "{organization} ber om tilgang til scopet {scope}. Gi tilgang eller avslå.",
    access_withdrawn: "{organization} har trukket tilbake virksomhetens tilgang til scopet {scope}. Klientene deres får \
                       ikke lenger token for det.",
    certificate_expiring: "Sertifikatet til nøkkelen {kid} på klienten {client} ({client_id}) utløper {time}. Registrer \
                           en nøkkel med nytt sertifikat før det, ellers får klienten ikke lenger token med den.",
    key_expiring: "Nøkkelen {kid} på klienten {client} ({client_id}) utløper {time}. Registrer en ny nøkkel før det, \
                   ellers får klienten ikke lenger token med den.",
    prefix_requested: "{organization} ber om prefikset {prefix}. Tildel det, eller si hvorfor ikke.",
    scope_deactivated: "{organization} har deaktivert scopet {scope}. Ingen får lenger token for det.",
};
