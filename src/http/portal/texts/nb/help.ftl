# The first page.
overview-lead-new = Velkommen! Her begynner dere.
overview-lead-calm = Ingenting trenger deg nå. Alt går som det skal.
overview-lead-none = Du er logget inn, men kan ikke se noe ennå.
overview-none = Du trenger en rolle
overview-none-restricted = I { $environment } ser og endrer man bare noe med en rolle som noen i virksomheten har gitt en.
overview-none-why = Rollen din viser deg ikke klienter og scopes.
overview-none-whom = Disse kan gi deg en:
overview-none-nobody = Ingen i virksomheten kan gi roller ennå. Kontakt dem som driver tjenesten, så utpeker de en administrator.
overview-none-help = Les mer om roller
overview-attention = Dette trenger deg
overview-alerts-all = Alle varsler
overview-critical = Kritisk:
overview-warning = Advarsel:
overview-decide-on = Til avgjørelse:
overview-decide = Behandle
overview-see-why = Se hvorfor
overview-renew = Forny nøkkel
overview-key-ends = Nøkkelen { $kid } utløper { $day }.
overview-key-ended = Nøkkelen { $kid } utløp { $day }, og gir ingen token.
overview-key-used = Sist brukt { $moment }.
overview-asks = { $organization } ber om tilgang til { $scope }.
overview-refused = { $count ->
    [one] Ett avslag det siste døgnet med { $code }.
   *[other] { $count } avslag det siste døgnet med { $code }.
 }
overview-more-requests = Flere venter på svar. Se
overview-figures = Siste 30 dager
overview-usage = Se bruk per scope
overview-quick = Snarveier
overview-quick-callable = Tilganger dere har, og kan be om
overview-quick-client = Ny klient
overview-quick-client-what = I tre steg, med nøkkel
overview-quick-scope = Nytt scope
overview-quick-scope-what = Det andre kan få tilgang til
overview-quick-users = Brukere og roller
overview-quick-users-what = Hvem som kan gjøre hva
overview-quick-help = Korte svar på det mange spør om
overview-consume = Skal dere bruke andres API?
overview-consume-what = Da er dere konsument. Et system hos dere, en klient, henter token og viser dem til API-et.
overview-consume-find = Finn scopet
overview-consume-find-what = som API-et krever. Noen er åpne for alle.
overview-consume-ask = Be eieren om tilgang, om scopet ikke er åpent. Vi sier fra når svaret kommer.
overview-consume-make = Lag en klient
overview-consume-make-what = med scopet og en nøkkel. Nøkkelen kan lages i nettleseren; den private delen ser bare dere.
overview-consume-try = Prøv den på klientens egen side, og ta med eksempelet til systemet deres.
overview-provide = Skal andre bruke deres API?
overview-provide-what = Da er dere API-tilbyder. Dere bestemmer hvem som får token til API-et.
overview-provide-prefix = Be om et prefiks
overview-provide-prefix-what = , første del av navnet på scopene deres.
overview-provide-prefix-done = : dere har ett.
overview-provide-scope = Lag et scope
overview-provide-scope-what = for det API-et gir tilgang til.
overview-provide-grant = Gi virksomheter tilgang, én eller mange om gangen.
overview-provide-check = La API-et sjekke signatur, utsteder, utløp og scope i hvert token.
# Help
help-lead = Korte svar på det vi oftest blir spurt om.
help-toc = På denne siden
help-group-begin = Komme i gang
help-group-call = Bruke andres API
help-group-offer = Tilby eget API
help-group-roles = Roller og feil
help-q-new-client = Hvorfor kan jeg ikke lage en klient?
help-a-new-client = Fordi du ikke har rollen konsument. I noen miljøer har alle den; i andre må en administrator i virksomheten gi deg den.

    Er det ingen administrator ennå, utpeker de som driver tjenesten, den første.
help-go-new-client = Se hvem som kan gi deg rollen
help-q-wrong-organization = Jeg representerer feil virksomhet
help-a-wrong-organization = Domenet i e-postadressen din avgjør hvilken virksomhet du hører til. Øverst på siden står den du representerer.

    Skal du jobbe for en annen, må en administrator der invitere deg med en adresse som hører til den. Er domenet knyttet til feil virksomhet, må de som driver tjenesten, rette det.
help-go-wrong-organization = Se kontoen din
help-q-environments = Hva er forskjellen på miljøene?
help-a-environments = Hvert miljø er for seg: egne klienter, nøkler, scopes, tilganger og brukere. Det du gjør i ett, merkes ikke i et annet. Nå er du i { $environment }.

    Et token fra ett miljø gjelder ikke i et annet. Utstederen her er { $issuer }, og den må stå som aud i assertionen.
help-q-scope-missing = Scopet står ikke i listen min
help-a-scope-missing = Da har ikke eieren gitt virksomheten din tilgang, eller tilgangen er gitt i et annet miljø. Se øverst på siden hvilket miljø du er i.

    Finner du scopet når du søker, kan du be om tilgang der. Gjør du det ikke, er det privat: da må du kontakte eieren. Gjelder det en kunde, må kunden ha delegert scopet til dere.
help-go-scope-missing = Søk i scopes
help-q-key-expired = Nøkkelen min har utløpt
help-a-key-expired = Lag en ny på klientens side og ta den i bruk i systemet. Med en gang den er registrert, kan klienten hente token igjen.

    En nøkkel kan ikke forlenges; den lever høyst et år. Lag den neste i god tid, så virker begge en stund. Under Virksomheten kan dere velge hvem som får e-post før nøkler utløper.
help-go-key-expired = Til klientene
help-q-key-formats = Hvilke nøkler kan jeg bruke?
help-a-key-formats = RSA med minst 2048 biter, elliptiske kurver (P-256 og P-384) og Ed25519. Du kan lime inn en JWK, en JWK-liste, en offentlig nøkkel i PEM eller et sertifikat.

    Enklest er det å la siden lage nøkkelen. Den private delen lages i nettleseren og sendes aldri til oss. Lim aldri inn en privat nøkkel noe sted; skjer det her, stoppes den før den sendes.
help-go-key-formats = Til klientene
help-q-certificate = Hva er et virksomhetssertifikat?
help-a-certificate = Et sertifikat som en godkjent utsteder har gitt virksomheten, med organisasjonsnummeret i. En klient uten registrert nøkkel kan signere med det, og da trenger dere ikke registrere noe her.

    Har klienten en registrert nøkkel, må den bruke nøkkelen. Sertifikatet må være utstedt til samme virksomhet som eier klienten.
help-q-prefix = Hva er et prefiks?
help-a-prefix = Første del av navnet på et scope, foran kolonet. Prefikset viser hvem som eier scopet, og bare eieren kan lage scopes under det.

    Velg noe kort som kjennes igjen. Det kan ikke endres siden.
help-go-prefix = Be om et prefiks
help-q-prefix-empty = Listen over prefikser er tom
help-a-prefix-empty = Da har virksomheten ikke fått noe prefiks i dette miljøet, og kan ikke lage scopes ennå. Be om ett; de som driver tjenesten, svarer.

    Har dere ett i et annet miljø, gjelder det bare der.
help-go-prefix-empty = Be om et prefiks
help-q-grant = Hvordan gir jeg tilgang?
help-a-grant = Åpne scopet og skriv inn organisasjonsnummeret, ett eller mange på én gang. Tilgangen gjelder innen ett sekund.

    Du kan sette en sluttdato, og trekke tilgangen tilbake når som helst. Andre kan også be om tilgang til scopes som står i den offentlige listen; da avgjør dere.
help-go-grant = Til scopes
help-q-who-has-access = Hvem har tilgang til dette scopet?
help-a-who-has-access = På scopets side står alle med tilgang, når de fikk den, og når de sist brukte den. Bare eieren ser det.

    Er scopet åpent for alle, kan enhver virksomhet bruke det uten å stå i listen.
help-go-who-has-access = Til scopes
help-q-access = Hvem kan gjøre hva?
help-a-access = Konsumenter lager klienter og nøkler. Tilbydere lager scopes og gir tilgang. Lesere ser alt, og endrer ingenting. Administratorer gir de andre roller.

    En administrator gir roller i sin egen virksomhet. Administratorer utpekes av dem som driver tjenesten.
help-go-access = Se hvem som kan gi deg en rolle
help-q-errors = Hva betyr feilkoden?
help-a-errors = Hver kode har en side med hva som er galt, hva det pleier å komme av, og hva dere kan gjøre.

    Logger du inn, ser du også hvorfor en bestemt forespørsel fikk nei: søk på sporings-ID-en som står sist i svaret. Send aldri assertion, token eller privat nøkkel til noen.
# Mails of a test server.
outbox-title = Utboks
outbox-lead = Dette er en testserver. E-post sendes ikke, men legges her.
outbox-empty = Ingen e-post ennå
outbox-empty-why = Når noen registrerer seg eller blir invitert, legges e-posten her.
outbox-caption = De nyeste først
outbox-subject = Emne
outbox-to = Til
outbox-time = Tidspunkt
