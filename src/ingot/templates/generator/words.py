"""The word lists of the generated shop: names, places and what is sold."""

FIRST_NAMES = (
    "Olivia Liam Emma Noah Charlotte Oliver Amelia James Sophia Elijah Mia William Isabella Henry Ava Lucas "
    "Evelyn Benjamin Luna Theodore Harper Mateo Camila Levi Sofia Sebastian Scarlett Daniel Elizabeth Jack Eleanor "
    "Michael Emily Alexander Chloe Owen Mila Asher Violet Samuel Penelope Ethan Gianna Leo Aria Jackson Abigail "
    "Mason Ella Ezra Avery John Hazel Hudson Nora Luca Layla Aiden Lily Joseph Aurora David Nova Jacob Ellie Logan "
    "Madison Luke Grace Julian Isla Gabriel Willow Grayson Zoe Wyatt Riley Matthew Stella Maverick Eliana Dylan Ivy "
    "Isaac Victoria Elias Emilia Anthony Zoey Thomas Naomi Jayden Hannah Carter Lucy Santiago Elena Ezekiel Lillian "
    "Charles Maya Josiah Leah Caleb Paisley Cooper Addison Lincoln Natalie Miles Valentina Christopher"
).split()

LAST_NAMES = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson "
    "Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson "
    "Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell "
    "Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales "
    "Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson "
    "Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long "
    "Ross Foster Jimenez O'Brien Fischer Weber Dubois Tremblay Novak Kowalski Rossi Ivanova Tanaka"
).split()

STREETS = (
    "Main St|Oak Ave|Maple Dr|Cedar Ln|Park Ave|Elm St|Lake Rd|Hill St|Walnut St|Spring St|North Rd|Ridge Rd|"
    "Church St|Willow Way|Mill Ln|Sunset Blvd|River Rd|Highland Ave|Washington St|Forest Dr|Meadow Ln|Station Rd|"
    "Harbor View|College Ave|Franklin St|Chestnut St|Pine St|Market St|Garden Ct|Union Sq"
).split("|")

# city, state or region, first part of the postal codes, country, latitude, longitude, share of customers, tax per mille
CITIES: tuple[tuple[str, str, str, str, float, float, float, int], ...] = (
    ("New York", "NY", "100", "US", 40.7128, -74.0060, 9.0, 89),
    ("Los Angeles", "CA", "900", "US", 34.0522, -118.2437, 7.0, 95),
    ("Chicago", "IL", "606", "US", 41.8781, -87.6298, 5.0, 103),
    ("Houston", "TX", "770", "US", 29.7604, -95.3698, 4.5, 83),
    ("Phoenix", "AZ", "850", "US", 33.4484, -112.0740, 3.2, 86),
    ("Philadelphia", "PA", "191", "US", 39.9526, -75.1652, 3.0, 80),
    ("San Antonio", "TX", "782", "US", 29.4241, -98.4936, 2.4, 83),
    ("San Diego", "CA", "921", "US", 32.7157, -117.1611, 2.6, 78),
    ("Dallas", "TX", "752", "US", 32.7767, -96.7970, 2.8, 83),
    ("San Jose", "CA", "951", "US", 37.3382, -121.8863, 2.2, 94),
    ("Austin", "TX", "787", "US", 30.2672, -97.7431, 2.6, 83),
    ("Columbus", "OH", "432", "US", 39.9612, -82.9988, 1.8, 75),
    ("Charlotte", "NC", "282", "US", 35.2271, -80.8431, 1.8, 73),
    ("Indianapolis", "IN", "462", "US", 39.7684, -86.1581, 1.5, 70),
    ("San Francisco", "CA", "941", "US", 37.7749, -122.4194, 3.6, 86),
    ("Seattle", "WA", "981", "US", 47.6062, -122.3321, 3.4, 104),
    ("Denver", "CO", "802", "US", 39.7392, -104.9903, 2.6, 88),
    ("Washington", "DC", "200", "US", 38.9072, -77.0369, 2.2, 60),
    ("Boston", "MA", "021", "US", 42.3601, -71.0589, 3.0, 63),
    ("Nashville", "TN", "372", "US", 36.1627, -86.7816, 1.6, 98),
    ("Portland", "OR", "972", "US", 45.5152, -122.6784, 2.0, 0),
    ("Las Vegas", "NV", "891", "US", 36.1699, -115.1398, 1.6, 84),
    ("Detroit", "MI", "482", "US", 42.3314, -83.0458, 1.5, 60),
    ("Atlanta", "GA", "303", "US", 33.7490, -84.3880, 2.6, 89),
    ("Miami", "FL", "331", "US", 25.7617, -80.1918, 2.8, 70),
    ("Minneapolis", "MN", "554", "US", 44.9778, -93.2650, 1.8, 90),
    ("New Orleans", "LA", "701", "US", 29.9511, -90.0715, 1.0, 94),
    ("Salt Lake City", "UT", "841", "US", 40.7608, -111.8910, 1.4, 78),
    ("Kansas City", "MO", "641", "US", 39.0997, -94.5786, 1.2, 86),
    ("Pittsburgh", "PA", "152", "US", 40.4406, -79.9959, 1.2, 70),
    ("Newark", "NJ", "071", "US", 40.7357, -74.1724, 1.4, 66),
    ("Toronto", "ON", "M5V", "CA", 43.6532, -79.3832, 2.4, 130),
    ("Vancouver", "BC", "V6B", "CA", 49.2827, -123.1207, 1.4, 120),
    ("Montreal", "QC", "H2X", "CA", 45.5019, -73.5674, 1.4, 150),
    ("London", "ENG", "EC1A", "GB", 51.5072, -0.1276, 2.8, 200),
    ("Manchester", "ENG", "M1", "GB", 53.4808, -2.2426, 1.0, 200),
    ("Edinburgh", "SCT", "EH1", "GB", 55.9533, -3.1883, 0.7, 200),
    ("Berlin", "BE", "101", "DE", 52.5200, 13.4050, 1.4, 190),
    ("Munich", "BY", "803", "DE", 48.1351, 11.5820, 1.0, 190),
    ("Hamburg", "HH", "200", "DE", 53.5511, 9.9937, 0.8, 190),
)

SEGMENTS = ("Consumer", "Small Business", "Enterprise")
ACQUISITION = ("organic_search", "paid_search", "social", "email", "referral", "direct", "affiliate")
LIFECYCLE = ("lead", "new", "active", "loyal", "at_risk", "churned")
TIERS = ("Bronze", "Silver", "Gold", "Platinum")
PAYMENT = ("credit_card", "paypal", "apple_pay", "gift_card", "bank_transfer", "invoice")
CHANNELS = ("web", "mobile_app", "marketplace", "store", "phone")
DEVICES = ("desktop", "mobile", "tablet")
STATUSES = ("pending", "processing", "shipped", "completed", "cancelled", "returned")
PAYMENT_STATUSES = ("pending", "paid", "refunded", "partially_refunded", "voided")
SHIPPING = ("standard", "express", "overnight", "pickup")
CARRIERS = ("UPS", "FedEx", "USPS", "DHL")
WAREHOUSES = ("EAST", "WEST", "CENTRAL")
GENDERS = ("female", "male", "non_binary")

JOB_TITLES = (
    "Office Manager|Purchasing Manager|Operations Director|Owner|Procurement Specialist|IT Manager|"
    "Executive Assistant|Facilities Manager|Chief Operating Officer|Buyer|Finance Manager|HR Business Partner"
).split("|")
COMPANY_HEADS = (
    "Northwind Summit Bluebird Granite Harbor Cobalt Evergreen Lakeside Pioneer Redwood Sterling Beacon Cascade "
    "Juniper Meridian Orchard Prairie Quarry Silverline Tidewater Atlas Copper Fairview Hawthorn Ironwood"
).split()
COMPANY_TAILS = "Labs|Logistics|Partners|Foods|Health|Media|Builders|Systems|Studio|Energy|Consulting, LLC|& Sons".split("|")
MAIL_HOSTS = ("example.com", "example.net", "example.org", "mail.example.com", "post.example.net")
SALES_REPS = (
    "Dana Whitfield|Marcus Oyelaran|Priya Raman|Tom Lindqvist|Alicia Moreno|Jon Beckett|Sara Haddad|Kevin Zhou|"
    "Grace Okafor|Paul Dvorak"
).split("|")
NOTES = (
    "Leave at the front desk",
    "Call before delivery",
    "Gift wrap, no price on the slip",
    "Please ship in one parcel",
    'Door code "1234", second floor',
    "Customer asked for eco packaging",
    "Purchase order number on the invoice, please",
)

# category, share of products, share of lines returned, subcategories: name, median price in dollars, nouns
CATEGORIES: tuple[tuple[str, float, float, tuple[tuple[str, float, str], ...]], ...] = (
    (
        "Electronics",
        0.20,
        0.05,
        (
            ("Audio", 79, "Headphones|Earbuds|Speaker|Soundbar|Microphone"),
            ("Computers", 320, "Laptop Stand|Mini PC|Monitor|Docking Station|Tablet"),
            ("Accessories", 24, "USB-C Cable|Charger|Power Bank|Mouse|Keyboard"),
            ("Smart Home", 59, "Thermostat|Doorbell|Camera|Light Strip|Plug"),
        ),
    ),
    (
        "Home & Kitchen",
        0.22,
        0.04,
        (
            ("Cookware", 49, "Skillet|Saucepan|Dutch Oven|Wok|Baking Tray"),
            ("Small Appliances", 89, "Kettle|Blender|Toaster|Coffee Maker|Air Fryer"),
            ("Bedding", 64, "Duvet|Pillow|Sheet Set|Throw|Mattress Topper"),
            ("Decor", 32, "Vase|Mirror|Lamp|Clock|Picture Frame"),
        ),
    ),
    (
        "Clothing",
        0.22,
        0.13,
        (
            ("Men", 42, "Shirt|Chinos|Jacket|Sweater|T-Shirt"),
            ("Women", 46, "Blouse|Dress|Jeans|Cardigan|Skirt"),
            ("Shoes", 84, "Sneakers|Boots|Loafers|Sandals|Trainers"),
            ("Outerwear", 118, "Parka|Raincoat|Vest|Fleece|Coat"),
        ),
    ),
    (
        "Sports & Outdoors",
        0.14,
        0.05,
        (
            ("Fitness", 38, "Yoga Mat|Kettlebell|Resistance Bands|Bench|Foam Roller"),
            ("Camping", 74, "Tent|Sleeping Bag|Lantern|Stove|Backpack"),
            ("Cycling", 56, "Helmet|Lock|Pump|Gloves|Light"),
        ),
    ),
    (
        "Beauty & Health",
        0.12,
        0.02,
        (
            ("Skin Care", 22, "Serum|Moisturiser|Cleanser|Sunscreen|Mask"),
            ("Hair Care", 17, "Shampoo|Conditioner|Brush|Dryer|Oil"),
            ("Wellness", 28, "Vitamins|Tea|Massage Gun|Scale|Diffuser"),
        ),
    ),
    (
        "Office Supplies",
        0.10,
        0.02,
        (
            ("Furniture", 189, "Desk|Chair|Bookcase|Cabinet|Footrest"),
            ("Paper", 12, "Notebook|Copy Paper|Sticky Notes|Planner|Envelopes"),
            ("Writing", 9, "Gel Pens|Markers|Pencils|Fountain Pen|Highlighters"),
        ),
    ),
)
ADJECTIVES = (
    "Classic Compact Pro Everyday Premium Ultra Essential Urban Nordic Heritage Active Slim Deluxe Eco Signature "
    "Studio Travel Bold Pure Prime"
).split()
BRANDS = (
    "Aldera Brightway Corvane Dunmore Elvion Fernhill Gaviota Halden Iverra Juno&Co Kestrel Lumora Mossbank Norell "
    "Ostara Pellworm Quillon Rivella Solvane Tarrin Umbra Velmont"
).split()
SUPPLIERS = (
    "Pacific Trade Co|Delta Import Group|Hanse Supply GmbH|Great Lakes Wholesale|Shoreline Distribution|"
    "Mayfield & Partners|Continental Goods|Rio Verde Exports|Bridgeport Manufacturing|Sunrise Sourcing"
).split("|")
COLORS = "Black White Grey Navy Red Green Blue Beige Silver Sand".split()
SIZES = "XS S M L XL".split()

CAMPAIGN_CHANNELS = ("email", "paid_search", "social", "display", "affiliate", "influencer")
OBJECTIVES = ("acquisition", "retention", "clearance", "brand", "launch")
TARGETS = ("All", *SEGMENTS)
THEMES = (
    "New Year Reset|Winter Warmers|Spring Refresh|Easter Deals|May Days|Summer Kickoff|Midsummer Sale|"
    "Back to School|Autumn Edit|October Offers|Black Friday|Holiday Gifts"
).split("|")
REFERRERS = ("google.com", "bing.com", "instagram.com", "facebook.com", "newsletter", "youtube.com", "reddit.com")
EVENTS = ("page_view", "search", "product_view", "add_to_cart", "remove_from_cart", "checkout", "purchase")
COUNTRIES = ("US", "CA", "GB", "DE")
