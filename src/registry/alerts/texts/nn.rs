//! Alerts in Norwegian nynorsk.

use crate::registry::alerts::texts::{Subjects, Texts};

pub(super) const TEXTS: Texts = Texts {
    subject: "{environment}: {what}",
    subject_of_several: "{environment}: {count} varsel",
    opening: "Varsel til {organization} ({number}) frå {issuer}",
    said: "{organization} skriv:",
    portal: "Sjå alt i portalen: {address}",
    closing: "Du får denne e-posten fordi adressa er eit varslingspunkt for verksemda. Varslingspunkt blir endra i \
              forretningsdata for verksemda.",
    subjects: Subjects {
        access_decided: "ein førespurnad om tilgang er svart på",
        access_requested: "nokon ber om tilgang",
        access_withdrawn: "ein tilgang er trekt tilbake",
        certificate_expiring: "eit sertifikat går snart ut",
        key_expiring: "ein nøkkel går snart ut",
        prefix_requested: "nokon bed om eit prefiks",
        scope_deactivated: "eit scope er deaktivert",
    },
    access_granted: "{organization} har gitt verksemda di tilgang til scopet {scope}. Legg det på ein klient for å bruke \
                     det.",
    access_denied: "{organization} har avslått å gi verksemda di tilgang til scopet {scope}.",
    access_requested: "{organization} ber om tilgang til scopet {scope}. Gi tilgang eller avslå.",
    access_withdrawn: "{organization} har trekt tilbake tilgangen verksemda hadde til scopet {scope}. Klientane dykkar \
                       får ikkje lenger token for det.",
    certificate_expiring: "Sertifikatet til nøkkelen {kid} på klienten {client} ({client_id}) går ut {time}. Registrer \
                           ein nøkkel med nytt sertifikat før det, elles får klienten ikkje lenger token med han.",
    key_expiring: "Nøkkelen {kid} på klienten {client} ({client_id}) går ut {time}. Registrer ein ny nøkkel før det, \
                   elles får klienten ikkje lenger token med han.",
    prefix_requested: "{organization} bed om prefikset {prefix}. Tildel det, eller sei kvifor ikkje.",
    scope_deactivated: "{organization} har deaktivert scopet {scope}. Ingen får lenger token for det.",
};
