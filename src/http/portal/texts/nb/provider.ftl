provider-access-active = Aktiv
provider-access-again = Gi tilgang igjen
provider-access-again-what = Virksomheten har ikke tilgang nå. Du kan gi den her.
provider-access-denied = Avslått eller trukket tilbake
provider-access-expired = Utløpt
provider-access-give = Gi tilgang
provider-access-give-lead = Tilgangen gjelder med en gang.
provider-access-help = Dette kan endres når som helst.
provider-access-requested = Ber om tilgang
provider-access-soon = Utløper snart
provider-access-taken-back = Trakk forespørselen
provider-access-there = Virksomheten har tilgang fra før. Finn den i tabellen for å endre sluttdato eller notat.
provider-european = Europeiske virksomheter
provider-european-help = En virksomhet i et annet land får token med sertifikatet sitt for elektroniske segl, uten å være registrert eller ha fått tilgang. Det er API-et ditt som må avgjøre hva hver av dem får gjøre, ut fra organisasjonsidentifikatoren i tokenet.
provider-european-supported = Slipp inn alle
provider-outage = Ved driftsavbrudd
provider-outage-help = Mister serveren databasen sin, avslår den å gi token, om du ikke heller vil at den går videre med det den har i minnet. Det du trekker tilbake imens, kan da brukes til databasen er på plass igjen.
provider-outage-issued = Gi token
provider-outage-minutes = { $count ->
    [one] Den går videre i høyst ett minutt.
   *[other] Den går videre i høyst { $count } minutter.
 }
provider-unknown = Ingen virksomhet med det nummeret er registrert her. Kontroller nummeret, og kryss av hvis det stemmer.
provider-unknown-sure = Nummeret er riktig
provider-unknown-what = Tilgangen virker når virksomheten blir registrert her.
provider-access-title = Tilgangen
provider-access-who = Tilgang
provider-accesses-all = Vis alle tilganger
provider-accesses-caption = Virksomheter med tilgang, etter organisasjonsnummer
provider-accesses-none = Ingen virksomheter har tilgang ennå
provider-accesses-none-why = Gi tilgang til dem som skal bruke API-et, eller vent til de ber om det.
provider-accesses-search = Søk i tilganger
provider-accesses-search-help = Navn eller organisasjonsnummer
provider-actions = Handlinger
provider-active = Aktivt
provider-advanced = Avansert
provider-advanced-what = klienttyper og lang beskrivelse
provider-all = Også deaktiverte
provider-approve = Godkjenn
provider-approve-title = Gi tilgang
provider-as-table = Vis som tabell
provider-asked = Spurt
provider-batch = Gi tilgang til flere
provider-batch-again = Prøvekjør på nytt
provider-batch-caption = Hva som vil skje med hver linje
provider-batch-do = { $count ->
    [one] Gi tilgang til én virksomhet
   *[other] Gi tilgang til { $count } virksomheter
 }
provider-batch-dry = Prøvekjøring
provider-batch-empty = Lim inn minst ett organisasjonsnummer.
provider-batch-hint = Har du mange på en gang?
provider-batch-invalid-count = { $count ->
    [one] Én linje må rettes og hoppes over.
   *[other] { $count } linjer må rettes og hoppes over.
 }
provider-batch-is-invalid = Må rettes
provider-batch-is-new = Får tilgang
provider-batch-is-there = Har tilgang, endres ikke
provider-batch-lead = Ingenting lagres før du har sett prøvekjøringen og bekreftet.
provider-batch-left = { $count ->
    [one] Én linje er ikke tatt med: høyst 1000 kan behandles på én gang.
   *[other] { $count } linjer er ikke tatt med: høyst 1000 kan behandles på én gang.
 }
provider-batch-line = Linje
provider-batch-lines = Organisasjonsnumre
provider-batch-lines-help = Ett per linje, gjerne med siste dag og notat etter. Skilletegn er semikolon, tabulator eller komma. Høyst 1000 linjer. Slik:
provider-batch-file = Eller velg en fil
provider-batch-new-count = { $count ->
    [one] Én får tilgang.
   *[other] { $count } får tilgang.
 }
provider-batch-outcome = Utfall
provider-batch-there-count = { $count ->
    [one] Én har tilgang fra før.
   *[other] { $count } har tilgang fra før.
 }
provider-batch-try = Prøvekjør
provider-batch-why-check = Siste siffer stemmer ikke. Er nummeret skrevet feil?
provider-batch-why-expires = Siste dag er ikke en dato. Skriv 2027-06-30 eller 30.06.2027.
provider-batch-why-note = Notatet er for langt eller har tegn som ikke kan brukes.
provider-batch-why-past = Siste dag har vært.
provider-batch-why-shape = Et organisasjonsnummer er ni siffer.
provider-batch-why-twice = Nummeret står lenger opp også.
provider-breadcrumb = Brødsmuler
provider-cancel = Avbryt
provider-change = Endre
provider-characters-left = {"{"}left{"}"} tegn igjen
provider-confirm = Skriv { $name } for å bekrefte
provider-confirm-wrong = Skriv navnet på scopet akkurat slik det står.
provider-created = Opprettet
provider-csv = Last ned CSV
provider-day = Dag
provider-days = { $count ->
    [one] Siste dag
   *[other] Siste { $count } dager
 }
provider-deactivate = Deaktiver scopet
provider-deactivate-ask = Deaktivere { $name }?
provider-deactivate-go = Deaktiver …
provider-deactivate-what = Ingen får token for scopet lenger, fra og med sekundet etter at du bekrefter. Tilgangene blir stående, og du kan gjenopprette scopet når du vil.
provider-decide = Ta stilling
provider-decide-more = Vilkår eller avslag …
provider-delegation = Delegeringskilde
provider-delegation-help = Registeret der konsumenter gir leverandører lov til å bruke scopet på sine vegne.
provider-delegation-none = Scopet kan ikke delegeres
provider-deny = Avslå
provider-deny-title = Avslå forespørselen
provider-description = Beskrivelse
provider-description-help = Skriv for den som skal be om tilgang. Høyst 255 tegn.
provider-description-missing = Skriv hva scopet gir tilgang til.
provider-description-wrong = Beskrivelsen kan ha høyst 255 tegn og ingen linjeskift.
provider-expires = Siste dag
provider-expires-help = Gjelder ut dagen. Tomt felt: til dere trekker den tilbake.
provider-expires-past = Velg en dag som ikke har vært.
provider-expires-wrong = Skriv en dato, for eksempel 2027-06-30.
provider-filter-help = Virker når du søker
provider-form-lead = Alle felt må fylles ut, om det ikke står noe annet.
provider-general = Generelt
provider-granted = Bare virksomheter vi gir tilgang
provider-granted-what = Andre kan be om tilgang, og dere avgjør.
provider-history-none-why = Ingen har endret scopet siden loggen begynte.
provider-in-use = Scopet er i bruk
provider-inactive = Deaktivert
provider-lifetime = Lengste levetid for token
provider-lifetime-client = Klienten bestemmer
provider-lifetime-help = Sekunder. Står det tomt, bestemmer klienten.
provider-lifetime-wrong = Skriv et helt antall sekunder, høyst 31536000 (et år).
provider-long = Lang beskrivelse
provider-long-help = For den som vil vite mer: hva API-et leverer, og hvem det passer for. Høyst 1023 tegn.
provider-message = Begrunnelse
provider-name = Navn
provider-name-unknown = Ukjent navn
provider-never = Aldri
provider-never-expires = Ingen sluttdato
provider-no-message = Ingen begrunnelse.
provider-no-prefix = Dere har ikke noe prefiks ennå
provider-no-prefix-other = Skal dere bruke andres API-er? Se hva dere kan kalle.
provider-no-prefix-why = Navnet på et scope begynner med et prefiks som viser hvem som eier det, som i nav:arbeid.les. Bare den som har prefikset, kan lage scopes under det. Be om et, så kan dere tilby API-er her.
provider-no-scopes = Dere har ikke laget noen scopes ennå
provider-no-scopes-why = Et scope er en navngitt tilgang til et API. Når det finnes, kan dere gi det til andre virksomheter, én eller mange om gangen.
provider-none-found = Ingen treff
provider-none-found-why = Prøv et annet søk, eller vis alle.
provider-not-in-use = Scopet ser ikke ut til å være i bruk
provider-not-public = Står ikke i katalogen
provider-note = Notat
provider-note-help = Bare dere ser det, for eksempel et avtalenummer.
provider-number = Organisasjonsnummer
provider-number-check = Siste siffer stemmer ikke. Er nummeret skrevet feil?
provider-number-help = Ni siffer. Mellomrom gjør ikke noe.
provider-number-shape = Et organisasjonsnummer er ni siffer.
provider-off = Ingen får token for scopet. Tilgangene står og venter til det blir gjenopprettet.
provider-off-title = Scopet er deaktivert
provider-only-active = Bare aktive
provider-open = Tilgjengelig for alle
provider-open-what = Alle virksomheter kan bruke scopet uten at dere gir tilgang.
provider-optional = (valgfritt)
provider-organization = Virksomhet
provider-others = Alle andre
provider-period = Periode
provider-prefix = Prefiks
provider-prefix-active = I bruk
provider-prefix-answer = Svar
provider-prefix-any = Alle prefikser
provider-prefix-ask = Be om et prefiks
provider-prefix-ask-lead = Driftsansvarlig leser forespørselen og tildeler prefikset eller svarer.
provider-prefix-asked = Det dere har bedt om
provider-prefix-at = Sist endret
provider-prefix-by = Spurt av
provider-prefix-help = 2 til 32 små bokstaver a–z, siffer og bindestreker, uten kolon. Velg noe andre kjenner dere igjen på.
provider-prefix-missing = Velg et prefiks.
provider-prefix-not-yours = Prefikset er ikke deres.
provider-prefix-reason = Hva skal det brukes til?
provider-prefix-reason-help = Fortell kort hvilke API-er dere vil tilby, og til hvem.
provider-prefix-reason-missing = Skriv hva prefikset skal brukes til.
provider-prefix-retired = Tatt ut av bruk
provider-prefix-send = Send forespørselen
provider-prefix-waits = Venter på svar
provider-prefix-wrong = Et prefiks er 2 til 32 små bokstaver a–z, siffer og bindestreker, og begynner og slutter med bokstav eller siffer.
provider-prefixes-caption = Prefiksene våre
provider-prefixes-lead = Et prefiks er første del av navnet på scopes, og viser hvem som eier dem.
provider-reach-clients = { $count ->
    [one] Én aktiv klient har scopet.
   *[other] { $count } aktive klienter har scopet.
 }
provider-reach-consumers = { $count ->
    [one] Én virksomhet har tilgang.
   *[other] { $count } virksomheter har tilgang.
 }
provider-reach-most = Brukt mest, token siste 30 dager
provider-reach-tokens = Token siste 30 dager: { $tokens }
provider-reason = Begrunnelse
provider-reason-help = Virksomheten får se den.
provider-decision-missing = Velg godkjenn eller avslå. Ingenting er avgjort.
provider-reason-missing = Skriv hvorfor dere avslår. Virksomheten får se det.
provider-request = Forespørsel om tilgang
provider-requests = Forespørsler om tilgang
provider-requests-all = Forespørsler til alle scopes
provider-requests-lead = Virksomheter som ber om å få bruke API-ene deres.
provider-requests-none = Ingen venter på svar
provider-requests-none-why = Når noen ber om tilgang, kommer det hit.
provider-restore = Gjenopprett
provider-role-missing = Du kan lese, men ikke endre. Det krever rollen tilbyder, som en administrator i virksomheten din kan gi deg.
provider-save = Lagre
provider-scope = Scope
provider-scope-create = Opprett scope
provider-scope-edit = Endre { $name }
provider-scope-first = Lag det første scopet
provider-scope-name = Navn på scopet
provider-scope-name-fixed = Navnet kan ikke endres.
provider-scope-name-help = Prefikset eier dere. Navnet kan ikke endres siden.
provider-scope-new = Nytt scope
provider-scopes-caption = Scopes, etter navn
provider-scopes-lead = Det andre virksomheter kan få tilgang til hos dere.
provider-scopes-search = Søk i scopes
provider-scopes-search-help = Navn eller beskrivelse
provider-scopes-show-all = Vis alle scopes
provider-search-do = Søk
provider-seconds = { $count ->
    [one] Ett sekund
   *[other] { $count } sekunder
 }
provider-show = Vis
provider-since = Siden
provider-state-any = Alle
provider-state-approved = Med tilgang
provider-status = Status
provider-subscope = Subscope
provider-subscope-missing = Skriv et navn etter prefikset.
provider-subscope-wrong = Subscopet kan ha bokstaver a–z, siffer og tegnene _.-/: og begynner med bokstav eller siffer.
provider-tab-about = Om scopet
provider-tab-accesses = Tilganger
provider-tab-history = Endringslogg
provider-tab-requests = Forespørsler
provider-tab-usage = Bruk
provider-tabs = Scopet
provider-text-wrong = Teksten kan ha høyst 1023 tegn, og ingen kontrolltegn.
provider-tokens = Token
provider-tokens-30 = Token, 30 d
provider-types = Klienttyper
provider-types-all = Alle
provider-types-help = Hvilke typer klienter som kan ha scopet. Maskiner bruker maskinporten. Velger du ingen, kan alle ha det.
provider-updated = Sist endret
provider-usage-by-consumer = Token per virksomhet
provider-usage-by-consumer-table = Token per virksomhet, som tabell
provider-usage-by-day = Token per dag
provider-usage-chart = I alt { $tokens } token, på det meste { $most } på en dag.
provider-usage-none = Ingen token i perioden
provider-usage-none-why = Når noen henter token for scopet, ser dere det her litt etter.
provider-used = Sist brukt
provider-used-when = Sist brukt { $when }.
provider-visibility = Synlighet
provider-visibility-internal = Intern
provider-visibility-missing = Velg hvem som kan finne scopet.
provider-visibility-private = Privat
provider-visibility-public = Offentlig
provider-visibility-what-internal = Bare driftsansvarlig ser det
provider-visibility-what-private = Synlig bare for dem som har tilgang
provider-visibility-what-public = Står i katalogen, så alle kan be om tilgang
provider-wants = ber om tilgang til
provider-who = Hvem kan få det
provider-withdraw = Trekk tilbake
provider-withdraw-ask = Trekke tilbake tilgangen til { $name }?
provider-withdraw-do = Trekk tilbake tilgangen
provider-withdraw-go = Trekk tilbake …
provider-withdraw-title = Trekk tilbake tilgangen
provider-withdraw-what = Virksomheten får ingen flere token for scopet fra og med sekundet etter. Token som er utstedt, gjelder ut levetiden sin.
notice-access-denied = Forespørselen er avslått.
notice-access-given = Virksomheten har fått tilgang.
notice-access-withdrawn = Tilgangen er trukket tilbake.
notice-accesses-given = Virksomhetene har fått tilgang.
notice-prefix-requested = Forespørselen er sendt til driftsansvarlig.
notice-scope-created = Scopet er opprettet. Nå kan dere gi tilgang til det.
notice-scope-deactivated = Scopet er deaktivert.
notice-scope-restored = Scopet er gjenopprettet.
