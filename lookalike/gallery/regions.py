"""Regions of the world, by which people can be chosen."""

from __future__ import annotations

REGIONS = {  # each with its countries, by their usual English names
    "North America": ("Canada, United States"),
    "Latin America": (
        "Argentina, Aruba, Bahamas, Barbados, Belize, Bolivia, Brazil, Chile, Colombia, Costa Rica, Cuba, "
        "Dominican Republic, Ecuador, El Salvador, Guatemala, Guyana, Haiti, Honduras, Jamaica, Mexico, "
        "Nicaragua, Panama, Paraguay, Peru, Puerto Rico, Suriname, Trinidad and Tobago, Uruguay, "
        "Venezuela"
    ),
    "Europe": (
        "Albania, Andorra, Armenia, Austria, Azerbaijan, Belarus, Belgium, Bosnia and Herzegovina, "
        "Bulgaria, Croatia, Cyprus, Czech Republic, Denmark, Estonia, Finland, France, Georgia, Germany, "
        "Greece, Hungary, Iceland, Ireland, Italy, Kosovo, Latvia, Liechtenstein, Lithuania, Luxembourg, "
        "Malta, Moldova, Monaco, Montenegro, Netherlands, North Macedonia, Norway, Poland, Portugal, "
        "Romania, Russia, San Marino, Serbia, Slovakia, Slovenia, Spain, Sweden, Switzerland, Ukraine, "
        "United Kingdom, Vatican City"
    ),
    "Africa": (
        "Algeria, Angola, Benin, Botswana, Burkina Faso, Burundi, Cameroon, Cape Verde, Central African "
        "Republic, Chad, Comoros, Congo, DR Congo, Djibouti, Egypt, Equatorial Guinea, Eritrea, Eswatini, "
        "Ethiopia, Gabon, Gambia, Ghana, Guinea, Guinea-Bissau, Ivory Coast, Kenya, Lesotho, Liberia, "
        "Libya, Madagascar, Malawi, Mali, Mauritania, Mauritius, Morocco, Mozambique, Namibia, Niger, "
        "Nigeria, Rwanda, Senegal, Seychelles, Sierra Leone, Somalia, South Africa, South Sudan, Sudan, "
        "Tanzania, Togo, Tunisia, Uganda, Zambia, Zimbabwe"
    ),
    "Middle East": (
        "Bahrain, Iran, Iraq, Israel, Jordan, Kuwait, Lebanon, Oman, Palestine, Qatar, Saudi Arabia, "
        "Syria, Turkey, United Arab Emirates, Yemen"
    ),
    "South Asia": ("Afghanistan, Bangladesh, Bhutan, India, Maldives, Nepal, Pakistan, Sri Lanka"),
    "East Asia": ("China, Hong Kong, Japan, Macau, Mongolia, North Korea, South Korea, Taiwan, Tibet"),
    "Central and Southeast Asia": (
        "Brunei, Cambodia, East Timor, Indonesia, Kazakhstan, Kyrgyzstan, Laos, Malaysia, Myanmar, "
        "Philippines, Singapore, Tajikistan, Thailand, Turkmenistan, Uzbekistan, Vietnam"
    ),
    "Oceania": ("Australia, Fiji, New Zealand, Papua New Guinea, Samoa, Solomon Islands, Tonga, Vanuatu"),
}
_REGION_OF = {country: region for region, countries in REGIONS.items() for country in countries.split(", ")}


def region_of(country: str | None) -> str | None:
    """Return the region of a country by its usual English name, None for one that is not listed."""
    return _REGION_OF.get(country or "")
