/**
 * Lines `KIND NAME VERSION ARCH STATUS` with tabs between them, STATUS as dpkg abbreviates it, become a document of SPDX 2.3 as JSON. For any awk; it counts in bytes,
 * so the rest of a character of UTF-8 goes through as it is.
 */
export const SBOM = `BEGIN {
  FS = "\\t"
  for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
  name = ENVIRON["NAME"]
  os = ENVIRON["OS"]
  "date -u +%Y-%m-%dT%H:%M:%SZ" | getline created
  id = ENVIRON["BERTH_BUILD_ID"]
  if (id == "") getline id < "/proc/sys/kernel/random/uuid"
  printf "{\\"spdxVersion\\":\\"SPDX-2.3\\",\\"dataLicense\\":\\"CC0-1.0\\",\\"SPDXID\\":\\"SPDXRef-DOCUMENT\\",\\"name\\":%s,", json(name)
  # A build that is run again is another document.
  printf "\\"documentNamespace\\":%s,", json("https://spdx.org/spdxdocs/" percent(name) "-" id "-" ENVIRON["BERTH_BUILD_GENERATION"])
  printf "\\"creationInfo\\":{\\"created\\":\\"%s\\",\\"creators\\":[\\"Tool: Berth\\"]},\\n\\"packages\\":[", created
  printf "{\\"name\\":%s,\\"SPDXID\\":\\"SPDXRef-Image\\",\\"versionInfo\\":%s,\\"downloadLocation\\":\\"NOASSERTION\\",\\"filesAnalyzed\\":false,\\"primaryPackagePurpose\\":\\"OPERATING_SYSTEM\\"}", json(name), json(ENVIRON["REVISION"])
}
NF == 5 && substr($5, 2, 1) == "i" {
  count++
  ids[count] = "SPDXRef-Package-" count "-" plain($2)
  printf ",\\n{\\"name\\":%s,\\"SPDXID\\":\\"%s\\",\\"versionInfo\\":%s,\\"downloadLocation\\":\\"NOASSERTION\\",\\"filesAnalyzed\\":false,", json($2), ids[count], json($3)
  printf "\\"externalRefs\\":[{\\"referenceCategory\\":\\"PACKAGE-MANAGER\\",\\"referenceType\\":\\"purl\\",\\"referenceLocator\\":%s}]}", json("pkg:" $1 "/" percent(os) "/" percent($2) "@" percent($3) "?arch=" percent($4))
}
END {
  printf "],\\n\\"relationships\\":[{\\"spdxElementId\\":\\"SPDXRef-DOCUMENT\\",\\"relationshipType\\":\\"DESCRIBES\\",\\"relatedSpdxElement\\":\\"SPDXRef-Image\\"}"
  for (i = 1; i <= count; i++) printf ",\\n{\\"spdxElementId\\":\\"SPDXRef-Image\\",\\"relationshipType\\":\\"CONTAINS\\",\\"relatedSpdxElement\\":\\"%s\\"}", ids[i]
  print "]}"
}
function json(text,    out, i, c) {
  out = ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c == "\\"" || c == "\\\\") out = out "\\\\" c
    else if (c in code && code[c] < 32) out = out sprintf("\\\\u%04x", code[c])
    else out = out c
  }
  return "\\"" out "\\""
}
function percent(text,    out, i, c) {
  out = ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    out = out (c ~ /[A-Za-z0-9._~:-]/ ? c : sprintf("%%%02X", code[c]))
  }
  return out
}
function plain(text) {
  gsub(/[^A-Za-z0-9.-]/, "-", text)
  return text
}
`;
