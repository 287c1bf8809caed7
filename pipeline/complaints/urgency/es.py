"""What makes a Spanish complaint urgent, in the spelling of folded texts."""

from __future__ import annotations

_ALL = r"(?:tod[oa]s?|enter[oa]s?|ningun[oa]?s?)"
_PLACE = (
    r"(?:tiendas?|empresa|negocio|fabrica|planta|almacen|hospital|clinica|oficinas?|sucursal(?:es)?"
    r"|locales?|produccion|restaurantes?|cajas?|sistema|plataforma|red|operacion(?:es)?"
    r"|cadena|linea|comercio|hotel|farmacia|taller|equipo|empleados|personal|trabajadores"
    r"|usuarios|clientes)"
)
_STOPPED = (
    r"(?:parad[oa]s?|paralizad[oa]s?|detenid[oa]s?|caid[oa]s?|bloquead[oa]s?|cerrad[oa]s?"
    r"|sin (?:poder|sistema|servicio|acceso)|inoperativ[oa]s?|fuera de servicio|no (?:pued[eo]n?"
    r"|podemos|funciona))"
)

REASONS: dict[str, tuple[str, ...]] = {
    "life and safety": (
        r"peligro de (?:muerte|vida)|vidas? (?:\w+ ){0,2}(?:en )?(?:peligro|riesgo)|riesgo (?:vital"
        r"|de muerte)|\bambulancia|\bsala de urgencias|\b(?:respirador|ventilador mecanico)"
        r"|\bdialisis\b|\binsulina\b|\boxigeno\b|\bmarcapasos",
        r"\bpacientes?\b|\bherid[oa]s?\b|\blesion(?:ad[oa]s?|es)\b|\bsangr(?:a|ando|e)\b|\binconsciente"
        r"|\bdesmay|\bsobredosis|\bhospitaliz|\bingresad[oa] en|\buci\b|al hospital\b|\bse (?:va a )?(?:est"
        r"a )?(?:muriendo|morir|muere|ahoga(?:ndo)?)\b|\bmorir(?:se|a|an)?\b(?! de (?:risa"
        r"|ganas))|\b(?:puede|podria|casi) (?:mor(?:ir|imos)|muere|matar?\b)",
        r"fuga de gas|(?:olor|huele) a gas|monoxido|\bincendi|\bse (?:ha )?(?:prendio|quem[oa]"
        r"|incendi|prendido|quemado)|\ben llamas|\bfuego\b|\b(?:echa|sale|saca|soltar?|sali(?:o"
        r"|endo)) (?:\w+ )?(?:humo|chispas)|\bexplot|\bexplosion|\belectrocut|descarga electrica"
        r"|calambrazo|\bchispas\b",
        r"\bsuicid|\bmatarme\b|quitarme la vida|no quiero (?:seguir )?vivi(?:r|endo)|hacerme dano"
        r"|\bno (?:puede|puedo) respirar|\basfixi|\batragant|reaccion alergica|shock anafilactico"
        r"|\binfarto|dolor (?:\w+ )?(?:en el|de) pecho|\bconvulsi|\benvenen|\bintoxic|\bquemaduras?\b"
        r"|\batrapad[oa]s?\b|\bfrenos? (?:\w+ )?(?:fall|no (?:funciona|responde))|violencia (?:domestica"
        r"|de genero)|amenaz\w+ (?:con matar|de muerte)|\bme (?:agredi|ataca)",
        r"(?:llamar?|marcar?|llamada) (?:al? )?(?:911|112|061|emergencias)|(?:boton|linea"
        r"|llamada|salida|alarma)s? (?:de )?(?:emergencia|panico|incendios?)\b[^.!?]{0,30}\b(?:no"
        r"|fall|bloque)|\bmedica(?:cion|mento)s?\b[^.!?]{0,40}\b(?:no |falta|sin |equivocad"
        r"|urg)|(?:hij[oa]|bebe|madre|padre|abuel[oa]|nin[oa]|marido|mujer|espos[oa]) (?:\w+ ){0,4}(?:herid"
        r"|quemad|peligro|intoxic|grave|desaparec|trag)",
    ),
    "security": (
        r"\bhacke|\bjaque|\bhackers?\b|\bransomware|\bphishing\b|(?:filtra|fuga|robo|brecha)\w* (?:\w+ ){0,"
        r"2}(?:de )?(?:datos|identidad|informacion|seguridad)|datos (?:\w+ ){0,4}(?:filtrad"
        r"|expuest|robad|publicad|vendid|a la vista)|(?:robaron|robado|robo|suplanta\w*|usurpa\w*"
        r"|secuestra\w*) (?:\w+ ){0,2}(?:cuenta|identidad|contrasena|clave|datos|tarjeta)"
        r"|suplantacion|\bvirus\b|\bmalware|\bclonad[oa]|\bclonaron|\bextorsi|\bchantaj",
        r"(?:alguien|un (?:desconocido|extrano|tercero|intruso|delincuente)|desconocidos|otra persona"
        r"|extranos|ladrones|estafadores) (?:\w+ ){0,3}(?:entr|acced|us[aoe]|cambi|rob|inici"
        r"|compr|saco|sac[ao]|vaci|transfi|hizo|control|esta|tiene)[^.!?]{0,40}\b(?:mi|mis"
        r"|nuestr\w+|me)\b",
        r"(?:cuenta|tarjeta|correo|contrasena|sistema|servidor|identidad) (?:\w+ ){0,4}(?:comprometid"
        r"|robad|pirate|vulnerad|infectad|cifrad|tomad|intervenid|invadid)|(?:veo|ver|vi|aparecen?"
        r"|muestra|salen|vemos|recibi|puedo ver) (?:\w+ ){0,3}(?:datos|pedidos?|cuenta|facturas?"
        r"|informacion|historial|tarjetas?) (?:de )?(?:\w+ ){0,2}(?:otr[oa]s?|ajen[oa]s?|desconocid)",
        r"(?:acces|inici|entrad|conexi)\w* (?:\w+ ){0,3}(?:no autorizad|sospechos|desde \w+ (?:\w+ ){0,4}(?"
        r":no|nunca))|sin mi (?:autorizacion|permiso|consentimiento)|vulnerabilidad|cambiaron (?:mi"
        r"|la) (?:contrasena|clave|correo)|cualquiera puede (?:ver|acceder|entrar)|\bpirate",
    ),
    "business blocked": (
        rf"\b{_PLACE}\b[^.!?,]{{0,30}}\b{_STOPPED}\b",
        rf"\b{_ALL} (?:\w+ ){{0,3}}{_PLACE}\b[^.!?]{{0,30}}\b(?:{_STOPPED}|afectad|puede)",
        r"\bnadie (?:\w+ ){0,3}(?:puede|pudo|logra|consigue|trabaj)|\bno podemos (?:\w+ )?(?:trabajar"
        r"|operar|vender|cobrar|facturar|enviar|despachar|atender|abrir|producir|pagar (?:\w+ )?(?:nominas?"
        r"|sueldos|salarios|empleados|a)|procesar|recibir|aceptar|seguir|emitir|entregar)"
        r"|\b(?:imposible|sin poder|no se puede) (?:trabajar|operar|vender|cobrar|facturar"
        r"|atender|producir)|\bninguno de (?:nuestros|los|nosotros)",
        r"\b(?:tuvimos|hemos tenido|tenemos|obligados|toca) (?:que |a )?(?:cerrar|parar|detener"
        r"|suspender|mandar|enviar)|\btodo (?:\w+ )?(?:parado|paralizado|detenido|caido|bloqueado)"
        r"|\b(?:paro|parada|caida|apagon|interrupcion|bloqueo) total|\bse (?:paro|paralizo"
        r"|detuvo|ha parado|ha paralizado|cayo) (?:\w+ ){0,2}(?:todo|toda|produccion|fabrica"
        r"|linea|negocio|servidor|sistema)|\b\d{2,} (?:empleados|personas|usuarios|trabajadores"
        r"|clientes)\b[^.!?]{0,30}\b(?:sin|no|parad|esperando)",
    ),
    "money": (
        r"\b(?:perdiendo|perdemos|perdido|perdimos|perdi|pierdo|perdidas? (?:de|por|millonari\w+"
        r"|enormes?|economicas?|graves?)|cuesta|costando|costado) (?:\w+ ){0,3}(?:dinero|ventas"
        r"|pedidos|miles|millones|clientes|ahorros|ingresos|[$€]?\s?\d[\d.,]*|euros|dolares)",
        r"(?:todo|todos|toda)? ?(?:mi|mis|nuestr\w+|el|los|la) (?:dinero|ahorros|fondos|saldo"
        r"|sueldo|pension|salario|nomina) (?:\w+ ){0,5}(?:desapareci|esfum|robad|perdid|vaci"
        r"|cero|no esta)|(?:vaciaron|vaciado|vaciar|vacio|limpiaron|saquearon|robaron|robado"
        r"|sustraje\w*|estafaron|estafado|estafa\b)|\bfraude\b|\bdesfalco",
        r"(?:cobr|carg|debit|descont|sac|retir|transf|quit)\w* (?:\w+ ){0,4}(?:(?:\d{2,}|diez"
        r"|doce|quince|veinte|treinta|cien) veces|[$€]?\s?(?:\d{1,3}[,.]\d{3}|\d{4,}) ?(?:euros"
        r"|dolares|pesos|eur|usd|€|\$)?|una y otra vez)|(?:\d{1,3}[,.]\d{3}|\d{4,}) ?(?:euros"
        r"|dolares|pesos|eur|usd|€)[^.!?]{0,30}(?:desapareci|perdid|robad|no (?:lleg|autoric"
        r"|reconoc)|equivocad|sin )|cuenta equivocada|\b(?:bancarrota|quiebra|desahuci\w*"
        r"|embarg\w*|ruina|arruina\w*)\b|(?:nominas?|sueldos?|salarios?)\b[^.!?]{0,30}\b(?:no "
        r"|sin |duplicad|equivocad)",
        r"\b(?:alguien|un desconocido|estafador\w*|ladron\w*|delincuentes?|se)\b[^.!?]{0,15}\b(?:saco"
        r"|saca\w*|quito|robo"
        r"|robaron|llevaron|llevo|vacio|vaciaron|gasto|transfirio|retiro"
        r"|cobro)\b[^.!?]{0,30}\b(?:dinero|cuenta|ahorros"
        r"|tarjeta|todo|plata)\b",
        r"\b(?:no|ni) (?:puedo|podemos|puede) (?:ni |ya )?(?:pagar (?:\w+ ){0,2}(?:alquiler|renta"
        r"|nomina|nominas|sueldos"
        r"|proveedores|hipoteca)|comprar (?:comida|leche)|comer|echar gasolina)|\bestaf(?:a|ado|ada"
        r"|aron)\b|\btimad[oa]\b",
        r"\b(?:\d{1,3}[.,]\d{3}|\d{4,})\b(?: ?(?:euros?|eur|€|pesos"
        r"|dolares))?[^.!?]{0,30}\b(?:desaparec\w+|nunca lleg\w+"
        r"|de mas|sin mi (?:permiso|autorizacion)|robad\w+|a un desconocido|en negativo)\b",
    ),
    "legal": (
        r"\babogad[oa]s?\b|\bdemandar\w*|\bdemanda (?:judicial|colectiva|contra|formal)|acciones (?:legales"
        r"|judiciales)|accion (?:legal|judicial|colectiva)|via (?:legal|judicial)|medidas legales"
        r"|\btribunal|\bjuzgado|\bjuez|\bjuicio|\bquerella|\bdenuncia\w*\b|\bcorte\b suprema"
        r"|\bfiscalia|\bproteccion de datos|\brgpd|\bgdpr|\bprofeco|\bdefensor del|organismo regulador"
        r"|\bregulador\b|consumo\b[^.!?]{0,10}\b(?:oficina|omic)|oficina (?:\w+ )?del consumidor"
        r"|defensa del consumidor|\bburofax",
        r"(?:plazo|fecha limite|vencimiento|vence|termina|caduca|cierra|presentar|entregar)\b[^.!?]{0,50}\b"
        r"(?:hacienda|legal|fiscal|impuestos?|iva|renta|tribunal|judicial|sat|licitacion|visado"
        r"|visa|concurso|declaracion|recurso|multa|sancion)|(?:impuestos?|iva|declaracion"
        r"|licitacion|recurso|hacienda|renta|visado|fiscal|legal)\b[^.!?]{0,50}\b(?:plazo"
        r"|fecha limite|vence|hoy|manana|medianoche|esta noche|multa|sancion|horas)|\b(?:nos"
        r"|me) (?:\w+ )?(?:multar|multan|sancionar|sancionan|pondran una multa)|incumplimiento de contrato",
    ),
}

# Harm and whom or what it befalls, near each other in one sentence, in either order.
NEAR: dict[str, tuple[tuple[str, str, int], ...]] = {}

# More of it, in the looser words of somebody in a hurry.
MORE: dict[str, str] = {
    "life and safety": r"\bardiendo\b|\bapagar el (?:fuego|incendio)|\bsin (?:insulina|oxigeno)\b|"
    r"\b(?:bateria|cargador|aparato|horno|calentador|patinete|movil|estufa|enchufe|cable"
    r"|coche|caldera|maquina)\b[^.!?]{0,40}\b(?:fuego|humo|chisp\w+|explot\w*|quem\w+"
    r"|arde|ardio|llamas|derrit\w+)|\bhumo\b|\bquemad\w+|\bgas\b[^.!?]{0,25}\b(?:fug\w+"
    r"|huele|olor|escap\w+)|\b(?:hij[oa]|bebe|madre|padre|abuel[oa]|nin[oa]s?|marido|mujer"
    r"|espos[oa]|embarazada|anciana?|vecin[oa]|companer[oa]|trabajador|conductor)\b[^.!?]{0,60}\b(?:her"
    r"id\w|quem\w+|sangr\w+|peligro|hospital|respir\w+|desmay\w+|atrapad\w|encerrad\w"
    r"|ahog\w+|medic\w+|insulina|urgencias|inconsciente|descarga|corriente|fiebre|muere"
    r"|morir)\b|\b(?:quirofano|cirugia|operacion quirurgica|uci|ambulancias|paramedicos)\b"
    r"|\b(?:encerrad\w|atrapad\w)\b|\bdosis (?:\w+ )?(?:equivocad|incorrect|erron)\w+"
    r"|\bva a morir|alguien (?:\w+ ){0,2}(?:morir|muera|herido)|\bcorriente\b[^.!?]{0,15}\b(?:me"
    r"|le|dio|da)\b|peligro",
    "security": r"\b(?:cuenta|contrasena|correo|datos|tarjeta|perfil|pedidos?|servidor|identidad|documentos"
    r"|expedientes?|dni|clave)\b[^.!?]{0,50}\b(?:alguien|desconocid\w|otr[oa]s? (?:client\w+"
    r"|persona\w*|usuari\w+|empresa)|ajen\w+|extrano\w?|filtrad\w|expuest\w|robad\w|publica\w*"
    r"|dark web|sin mi|no fui yo|cifrad\w)\b|\b(?:alguien|desconocid\w|otr[oa]s? (?:client\w+"
    r"|persona\w*|usuari\w+))\b[^.!?]{0,50}\b(?:cuenta|contrasena|correo|datos|tarjeta"
    r"|perfil|servidor|identidad|clave|dni)\b|\bno (?:fui|he sido|soy) yo\b|\bse hac\w+ pasar"
    r"|\ben mi nombre\b|\brescate\b[^.!?]{0,20}(?:archivos|datos|pag)|(?:pagina|web|correo"
    r"|sms|llamada) fals[ao]",
    "business blocked": r"\b(?:tiendas?|cajas?|tpv|datafonos?|almacen|fabrica|planta|produccion"
    r"|oficina|empresa"
    r"|negocio|clinica|hospital|farmacia|restaurante|hotel|empleados|plantilla|trabajadores"
    r"|camiones|conductores|clientes|nadie|sistema|linea|nominas|facturacion)\b[^.!?]{0,45}\b(?:parad\w"
    r"+|caid\w+|cerrad\w+|bloquead\w+|colapsad\w+|paraliz\w+|detenid\w+|sin (?:poder|sistema"
    r"|servicio|acceso|trabajar)|no (?:\w+ )?(?:pued\w+|podemos|funcion\w+|arranca)|esperando"
    r"|brazos cruzados|a casa|colas?)\b|\bno podemos (?:\w+ ){0,2}(?:\w+r)\b[^.!?]{0,40}\b(?:clientes"
    r"|pedidos|pagos|tienda|facturas|nominas|mercancia|nada|ventas|pacientes)",
    "money": r"(?:\d[\d.,]*\d\d\s?(?:mil|euros?|dolares|pesos|eur|usd|€|\$)|\$\s?\d[\d.,]*|miles de"
    r"|sueldo|nomina|ahorros|alquiler|pension|fianza|saldo|dinero|salario|hipoteca)[^.!?]{0,60}\b(?:des"
    r"apareci\w+|robad\w|robaron|perd\w+|equivocad\w|dos veces|doble|\w+ veces|no (?:ha "
    r"|han |me |nos )?(?:lleg\w+|aparec\w+)|sin (?:mi|autoriza\w+|permiso)|vaci\w+|cero"
    r"|por hora|cada hora|al dia|por minuto|estaf\w+|duplicad\w)\b|\b(?:desapareci\w+"
    r"|robaron|perdemos|perdiendo|perdido|cobr\w+ (?:\w+ )?(?:de mas|dos veces|tres veces"
    r"|doble)|vaciaron|estafa\w*|me (?:han )?(?:quitado|sacado))\b[^.!?]{0,50}(?:\d[\d.,]*\d\d\s?(?:mil"
    r"|euros?|dolares|pesos|eur|usd|€|\$)|\$\s?\d|miles|sueldo|nomina|ahorros|alquiler"
    r"|pension|saldo|dinero|ventas|clientes|cuenta)",
    "legal": r"\b(?:hoy|manana|medianoche|plazo|vence|caduca|horas|fecha limite|expira|esta noche"
    r"|viernes|lunes)\b[^.!?]{0,60}\b(?:hacienda|fiscal|impuestos?|iva|tribunal|judicial"
    r"|licitacion|visado|recurso|multa|sancion\w*|contrato|notari\w+|auditor\w+|legal\w*"
    r"|ley|aduana|juzgado|demanda|regulador|autoridad\w*)\b|\b(?:hacienda|fiscal|impuestos?"
    r"|iva|tribunal|judicial|licitacion|visado|recurso|multa|sancion\w*|notari\w+|auditor\w+"
    r"|legal\w*|ley|aduana|juzgado|regulador|autoridad\w*)\b[^.!?]{0,60}\b(?:hoy|manana"
    r"|medianoche|plazo|vence|caduca|horas|fecha limite|expira|esta noche|viernes|lunes)\b",
}

QUIET: tuple[str, ...] = (
    r"contactos? de emergencia|mor(?:ir|irme|iendome|ia) de (?:risa|ganas|hambre|sueno"
    r"|aburrimiento)|me muero (?:de|por)|(?:bateria|movil|pantalla) (?:\w+ )?(?:murio"
    r"|muerta|muriendo)|matar (?:el|la) (?:proceso|tiempo|app|aplicacion|tarea)|fuegos? artificiales"
    r"|infarto cuando vi|(?:esta|estais) que arde|juego de fuego|free fire|pacientes? con (?:ustedes"
    r"|nosotros)|(?:soy|sea|sean|ser|fui|muy|ya) (?:muy |mas )?pacientes?|producto (?:estrella"
    r"|asesino)",
)
NOT: tuple[str, ...] = (
    r"\b(?:no|nunca|sin|ningun[oa]?|nadie (?:esta|resulto|fue)|tampoco) (?:(?:ha|he|hay"
    r"|hubo|fue|es|era|esta|ha sido|un|una|el|la|soy|me|se) ){0,3}$",
    r"\b(?:que pasa si|y si|en caso de|si|como (?:puedo|podria|se)? ?(?:evitar|proteger\w*"
    r"|prevenir|denunciar)|evitar|prevenir|proteger\w*|contra|por si)\b[^.!?;]{0,35}$",
)

# Small words that tell the language.
WORDS = (
    "el la los las un una es esta estan mi mis nuestro nuestra no de del "
    "en y que por con para se ha han al tengo nos me hay nadie todo todos"
)
