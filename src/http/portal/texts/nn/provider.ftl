provider-access-active = Aktiv
provider-access-again = Gje tilgang igjen
provider-access-again-what = Verksemda har ikkje tilgang no. Du kan gje han her.
provider-access-denied = Avslått eller trekt tilbake
provider-access-expired = Utgått
provider-access-give = Gje tilgang
provider-access-give-lead = Tilgangen gjeld med ein gong.
provider-access-help = Dette kan endrast når som helst.
provider-access-requested = Ber om tilgang
provider-access-soon = Går snart ut
provider-access-taken-back = Trekte førespurnaden
provider-access-there = Verksemda har tilgang frå før. Finn ho i tabellen for å endre sluttdato eller notat.
provider-european = Europeiske verksemder
provider-european-help = Ei verksemd i eit anna land får token med sertifikatet sitt for elektroniske segl, utan å vere registrert eller ha fått tilgang. Det er API-et ditt som må avgjere kva kvar av dei får gjere, ut frå organisasjonsidentifikatoren i tokenet.
provider-european-supported = Slepp inn alle
provider-outage = Ved driftsavbrot
provider-outage-help = Mistar serveren databasen sin, avslår han å gje token, om du ikkje heller vil at han går vidare med det han har i minnet. Det du trekkjer tilbake imens, kan då brukast til databasen er på plass att.
provider-outage-issued = Gje token
provider-outage-minutes = { $count ->
    [one] Han går vidare i høgst eitt minutt.
   *[other] Han går vidare i høgst { $count } minutt.
 }
provider-unknown = Inga verksemd med det nummeret er registrert her. Kontroller nummeret, og kryss av om det stemmer.
provider-unknown-sure = Nummeret er rett
provider-unknown-what = Tilgangen verkar når verksemda blir registrert her.
provider-access-title = Tilgangen
provider-access-who = Tilgang
provider-accesses-all = Vis alle tilgangar
provider-accesses-caption = Verksemder med tilgang, etter organisasjonsnummer
provider-accesses-none = Ingen verksemder har tilgang enno
provider-accesses-none-why = Gje tilgang til dei som skal bruke API-et, eller vent til dei ber om det.
provider-accesses-search = Søk i tilgangar
provider-accesses-search-help = Namn eller organisasjonsnummer
provider-actions = Handlingar
provider-active = Aktivt
provider-advanced = Avansert
provider-advanced-what = klienttypar og lang skildring
provider-all = Også deaktiverte
provider-approve = Godkjenn
provider-approve-title = Gje tilgang
provider-as-table = Vis som tabell
provider-asked = Spurt
provider-batch = Gje tilgang til fleire
provider-batch-again = Prøvekøyr på nytt
provider-batch-caption = Kva som vil skje med kvar linje
provider-batch-do = { $count ->
    [one] Gje tilgang til éi verksemd
   *[other] Gje tilgang til { $count } verksemder
 }
provider-batch-dry = Prøvekøyring
provider-batch-empty = Lim inn minst eitt organisasjonsnummer.
provider-batch-hint = Har du mange på ein gong?
provider-batch-invalid-count = { $count ->
    [one] Éi linje må rettast og blir hoppa over.
   *[other] { $count } linjer må rettast og blir hoppa over.
 }
provider-batch-is-invalid = Må rettast
provider-batch-is-new = Får tilgang
provider-batch-is-there = Har tilgang, blir ikkje endra
provider-batch-lead = Ingenting blir lagra før du har sett prøvekøyringa og stadfesta.
provider-batch-left = { $count ->
    [one] Éi linje er ikkje teken med: høgst 1000 kan handsamast på éin gong.
   *[other] { $count } linjer er ikkje tekne med: høgst 1000 kan handsamast på éin gong.
 }
provider-batch-line = Linje
provider-batch-lines = Organisasjonsnummer
provider-batch-lines-help = Eitt per linje, gjerne med siste dag og notat etter. Skiljeteikn er semikolon, tabulator eller komma. Høgst 1000 linjer. Slik:
provider-batch-file = Eller vel ei fil
provider-batch-new-count = { $count ->
    [one] Éi får tilgang.
   *[other] { $count } får tilgang.
 }
provider-batch-outcome = Utfall
provider-batch-there-count = { $count ->
    [one] Éi har tilgang frå før.
   *[other] { $count } har tilgang frå før.
 }
provider-batch-try = Prøvekøyr
provider-batch-why-check = Siste siffer stemmer ikkje. Er nummeret skrive feil?
provider-batch-why-expires = Siste dag er ikkje ein dato. Skriv 2027-06-30 eller 30.06.2027.
provider-batch-why-note = Notatet er for langt eller har teikn som ikkje kan brukast.
provider-batch-why-past = Siste dag har vore.
provider-batch-why-shape = Eit organisasjonsnummer er ni siffer.
provider-batch-why-twice = Nummeret står lenger oppe òg.
provider-breadcrumb = Brødsmular
provider-cancel = Avbryt
provider-change = Endre
provider-characters-left = {"{"}left{"}"} teikn att
provider-confirm = Skriv { $name } for å stadfeste
provider-confirm-wrong = Skriv namnet på scopet akkurat slik det står.
provider-created = Oppretta
provider-csv = Last ned CSV
provider-day = Dag
provider-days = { $count ->
    [one] Siste dag
   *[other] Siste { $count } dagar
 }
provider-deactivate = Deaktiver scopet
provider-deactivate-ask = Deaktivere { $name }?
provider-deactivate-go = Deaktiver …
provider-deactivate-what = Ingen får token for scopet lenger, frå og med sekundet etter at du stadfestar. Tilgangane blir ståande, og du kan gjenopprette scopet når du vil.
provider-decide = Ta stilling
provider-decide-more = Vilkår eller avslag …
provider-delegation = Delegeringskjelde
provider-delegation-help = Registeret der konsumentar gjev leverandørar lov til å bruke scopet på sine vegner.
provider-delegation-none = Scopet kan ikkje delegerast
provider-deny = Avslå
provider-deny-title = Avslå førespurnaden
provider-description = Skildring
provider-description-help = Skriv for den som skal be om tilgang. Høgst 255 teikn.
provider-description-missing = Skriv kva scopet gjev tilgang til.
provider-description-wrong = Skildringa kan ha høgst 255 teikn og ingen linjeskift.
provider-expires = Siste dag
provider-expires-help = Gjeld ut dagen. Tomt felt: til de trekkjer han tilbake.
provider-expires-past = Vel ein dag som ikkje har vore.
provider-expires-wrong = Skriv ein dato, til dømes 2027-06-30.
provider-filter-help = Verkar når du søkjer
provider-form-lead = Alle felt må fyllast ut, om det ikkje står noko anna.
provider-general = Generelt
provider-granted = Berre verksemder vi gjev tilgang
provider-granted-what = Andre kan be om tilgang, og de avgjer.
provider-history-none-why = Ingen har endra scopet sidan loggen byrja.
provider-in-use = Scopet er i bruk
provider-inactive = Deaktivert
provider-lifetime = Lengste levetid for token
provider-lifetime-client = Klienten avgjer
provider-lifetime-help = Sekund. Står det tomt, avgjer klienten.
provider-lifetime-wrong = Skriv eit heilt tal sekund, høgst 31536000 (eit år).
provider-long = Lang skildring
provider-long-help = For den som vil vite meir: kva API-et leverer, og kven det passar for. Høgst 1023 teikn.
provider-message = Grunngjeving
provider-name = Namn
provider-name-unknown = Ukjent namn
provider-never = Aldri
provider-never-expires = Ingen sluttdato
provider-no-message = Inga grunngjeving.
provider-no-prefix = De har ikkje noko prefiks enno
provider-no-prefix-other = Skal de bruke API-a til andre? Sjå kva de kan kalle.
provider-no-prefix-why = Namnet på eit scope byrjar med eit prefiks som viser kven som eig det, som i nav:arbeid.les. Berre den som har prefikset, kan lage scopes under det. Be om eit, så kan de tilby API her.
provider-no-scopes = De har ikkje laga nokon scopes enno
provider-no-scopes-why = Eit scope er ein namngjeven tilgang til eit API. Når det finst, kan de gje det til andre verksemder, éi eller mange om gongen.
provider-none-found = Ingen treff
provider-none-found-why = Prøv eit anna søk, eller vis alle.
provider-not-in-use = Scopet ser ikkje ut til å vere i bruk
provider-not-public = Står ikkje i katalogen
provider-note = Notat
provider-note-help = Berre de ser det, til dømes eit avtalenummer.
provider-number = Organisasjonsnummer
provider-number-check = Siste siffer stemmer ikkje. Er nummeret skrive feil?
provider-number-help = Ni siffer. Mellomrom gjer ikkje noko.
provider-number-shape = Eit organisasjonsnummer er ni siffer.
provider-off = Ingen får token for scopet. Tilgangane står og ventar til det blir gjenoppretta.
provider-off-title = Scopet er deaktivert
provider-only-active = Berre aktive
provider-open = Tilgjengeleg for alle
provider-open-what = Alle verksemder kan bruke scopet utan at de gjev tilgang.
provider-optional = (valfritt)
provider-organization = Verksemd
provider-others = Alle andre
provider-period = Periode
provider-prefix = Prefiks
provider-prefix-active = I bruk
provider-prefix-answer = Svar
provider-prefix-any = Alle prefiks
provider-prefix-ask = Be om eit prefiks
provider-prefix-ask-lead = Driftsansvarleg les førespurnaden og tildeler prefikset eller svarar.
provider-prefix-asked = Det de har bede om
provider-prefix-at = Sist endra
provider-prefix-by = Spurt av
provider-prefix-help = 2 til 32 små bokstavar a–z, siffer og bindestrekar, utan kolon. Vel noko andre kjenner dykk att på.
provider-prefix-missing = Vel eit prefiks.
provider-prefix-not-yours = Prefikset er ikkje dykkar.
provider-prefix-reason = Kva skal det brukast til?
provider-prefix-reason-help = Fortel kort kva API de vil tilby, og til kven.
provider-prefix-reason-missing = Skriv kva prefikset skal brukast til.
provider-prefix-retired = Teke ut av bruk
provider-prefix-send = Send førespurnaden
provider-prefix-waits = Ventar på svar
provider-prefix-wrong = Eit prefiks er 2 til 32 små bokstavar a–z, siffer og bindestrekar, og byrjar og sluttar med bokstav eller siffer.
provider-prefixes-caption = Prefiksa våre
provider-prefixes-lead = Eit prefiks er første del av namnet på scopes, og viser kven som eig dei.
provider-reach-clients = { $count ->
    [one] Éin aktiv klient har scopet.
   *[other] { $count } aktive klientar har scopet.
 }
provider-reach-consumers = { $count ->
    [one] Éi verksemd har tilgang.
   *[other] { $count } verksemder har tilgang.
 }
provider-reach-most = Brukt mest, token siste 30 dagar
provider-reach-tokens = Token siste 30 dagar: { $tokens }
provider-reason = Grunngjeving
provider-reason-help = Verksemda får sjå henne.
provider-decision-missing = Vel godkjenn eller avslå. Ingenting er avgjort.
provider-reason-missing = Skriv kvifor de avslår. Verksemda får sjå det.
provider-request = Førespurnad om tilgang
provider-requests = Førespurnader om tilgang
provider-requests-all = Førespurnader til alle scopes
provider-requests-lead = Verksemder som ber om å få bruke API-a dykkar.
provider-requests-none = Ingen ventar på svar
provider-requests-none-why = Når nokon ber om tilgang, kjem det hit.
provider-restore = Gjenopprett
provider-role-missing = Du kan lese, men ikkje endre. Det krev rolla tilbydar, som ein administrator i verksemda di kan gje deg.
provider-save = Lagre
provider-scope = Scope
provider-scope-create = Opprett scope
provider-scope-edit = Endre { $name }
provider-scope-first = Lag det første scopet
provider-scope-name = Namn på scopet
provider-scope-name-fixed = Namnet kan ikkje endrast.
provider-scope-name-help = Prefikset eig de. Namnet kan ikkje endrast sidan.
provider-scope-new = Nytt scope
provider-scopes-caption = Scopes, etter namn
provider-scopes-lead = Det andre verksemder kan få tilgang til hos dykk.
provider-scopes-search = Søk i scopes
provider-scopes-search-help = Namn eller skildring
provider-scopes-show-all = Vis alle scopes
provider-search-do = Søk
provider-seconds = { $count ->
    [one] Eitt sekund
   *[other] { $count } sekund
 }
provider-show = Vis
provider-since = Sidan
provider-state-any = Alle
provider-state-approved = Med tilgang
provider-status = Status
provider-subscope = Subscope
provider-subscope-missing = Skriv eit namn etter prefikset.
provider-subscope-wrong = Subscopet kan ha bokstavar a–z, siffer og teikna _.-/: og byrjar med bokstav eller siffer.
provider-tab-about = Om scopet
provider-tab-accesses = Tilgangar
provider-tab-history = Endringslogg
provider-tab-requests = Førespurnader
provider-tab-usage = Bruk
provider-tabs = Scopet
provider-text-wrong = Teksten kan ha høgst 1023 teikn, og ingen kontrollteikn.
provider-tokens = Token
provider-tokens-30 = Token, 30 d
provider-types = Klienttypar
provider-types-all = Alle
provider-types-help = Kva typar klientar som kan ha scopet. Maskiner bruker maskinporten. Vel du ingen, kan alle ha det.
provider-updated = Sist endra
provider-usage-by-consumer = Token per verksemd
provider-usage-by-consumer-table = Token per verksemd, som tabell
provider-usage-by-day = Token per dag
provider-usage-chart = I alt { $tokens } token, på det meste { $most } på ein dag.
provider-usage-none = Ingen token i perioden
provider-usage-none-why = Når nokon hentar token for scopet, ser de det her litt etter.
provider-used = Sist brukt
provider-used-when = Sist brukt { $when }.
provider-visibility = Synlegheit
provider-visibility-internal = Intern
provider-visibility-missing = Vel kven som kan finne scopet.
provider-visibility-private = Privat
provider-visibility-public = Offentleg
provider-visibility-what-internal = Berre driftsansvarleg ser det
provider-visibility-what-private = Synleg berre for dei som har tilgang
provider-visibility-what-public = Står i katalogen, så alle kan be om tilgang
provider-wants = ber om tilgang til
provider-who = Kven kan få det
provider-withdraw = Trekk tilbake
provider-withdraw-ask = Trekkje tilbake tilgangen til { $name }?
provider-withdraw-do = Trekk tilbake tilgangen
provider-withdraw-go = Trekk tilbake …
provider-withdraw-title = Trekk tilbake tilgangen
provider-withdraw-what = Verksemda får ingen fleire token for scopet frå og med sekundet etter. Token som er utferda, gjeld ut levetida si.
notice-access-denied = Førespurnaden er avslått.
notice-access-given = Verksemda har fått tilgang.
notice-access-withdrawn = Tilgangen er trekt tilbake.
notice-accesses-given = Verksemdene har fått tilgang.
notice-prefix-requested = Førespurnaden er send til driftsansvarleg.
notice-scope-created = Scopet er oppretta. No kan de gje tilgang til det.
notice-scope-deactivated = Scopet er deaktivert.
notice-scope-restored = Scopet er gjenoppretta.
