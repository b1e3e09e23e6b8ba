/* The CANAL library of 8devices' USB2CAN adapters, emulated.
 *
 * All devices are on one bus, "can". Hooks: "absent" (no device), "stalled" (nothing leaves the transmit queue),
 * "tick_ns" (of the time stamps, 1000), "clock" (added to the counter), "clock_bits" (29), "channel_status" (instead
 * of the error counters), "full" (frames in the receive queue, 1024). An injected record of KIND_ERROR or KIND_STATE is
 * a status record: code, data[0] RX errors, data[1] TX errors. Channels and devices for injecting and unplugging are
 * handles less 1681.
 */
#include "stub.h"
#include <ctype.h>

enum { FIRST_HANDLE = 1681, MAX_DEVICES = 8, QUEUE = 1024 };
enum {
    SUCCESS = 0, FIFO_EMPTY = 8, FIFO_FULL = 9, NOT_SUPPORTED = 17, TIMEOUT = 32, PARAMETER = 34, COMMUNICATION = 37,
};
enum { SILENT = 1, LOOPBACK = 2, ONE_SHOT = 4, STATUS_FRAMES = 8 };
enum { MESSAGE_EXTENDED = 1, MESSAGE_REMOTE = 2, MESSAGE_STATUS = 4 };
#define FROM_APPLICATION 0x80000000u

typedef struct {
    uint32_t flags, obid, id;
    uint8_t sizeData, data[8];
    uint32_t timestamp;
} CanalMsg;
_Static_assert(sizeof(CanalMsg) == 28 && offsetof(CanalMsg, data) == 13 && offsetof(CanalMsg, timestamp) == 24, "");

typedef struct {
    uint32_t ReceiveFrams, TransmistFrams, ReceiveData, TransmitData, Overruns, BusWarnings, BusOff;
} CanalStatistics;
_Static_assert(sizeof(CanalStatistics) == 28, "");

typedef struct {
    uint32_t channel_status, lasterrorcode, lasterrorsubcode;
    char lasterrorstr[80];
} CanalStatus;
_Static_assert(sizeof(CanalStatus) == 92 && offsetof(CanalStatus, lasterrorstr) == 12, "");

typedef struct {
    int is_open, is_unplugged, port;
    char serial[9];
    uint32_t flags, bitrate, waits;
    uint8_t status_code, rx_errors, tx_errors;
    CanalStatistics statistics;
    CanalMsg queue[QUEUE]; /* to send, while the bus is stalled */
    uint32_t queued;
} Device;

static Device devices[MAX_DEVICES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static Device *device_of(const char *function, int32_t handle) {
    int32_t index = handle - FIRST_HANDLE;
    if (index >= 0 && index < MAX_DEVICES && devices[index].is_open) return &devices[index];
    violation("%s: handle %d is not open", function, handle);
    return NULL; /* the caller then answers SUCCESS, as the library does, and touches nothing */
}

/* --- opening --------------------------------------------------------------------------------------------- */

/* Read up to 8 fields of numbers after the serial number; return how many there are. */
static int numbers_of(const char *text, unsigned long *numbers) {
    int count = 0;
    while ((text = strchr(text, ';')) && count < 8) numbers[count++] = strtoul(++text, NULL, 0);
    return count;
}

/* Return the bit rate that a setup string selects, 0 for a string that the library refuses. */
static uint32_t bitrate_of(const char *setup) {
    unsigned long n[8] = {0};
    int count = numbers_of(setup, n);
    if (!count) return 0;
    if (n[0]) {
        if (n[0] == 125 || n[0] == 250 || n[0] == 500 || n[0] == 800 || n[0] == 1000) return (uint32_t)n[0] * 1000;
        violation("CanalOpen: %lu kbit/s is not in the table: 125 kbit/s", n[0]);
        return 125000;
    }
    if (count < 5 || n[1] < 1 || n[1] > 16 || n[2] < 1 || n[2] > 8 || n[3] < 1 || n[3] > 4 || n[4] < 1 || n[4] > 1024) {
        violation("CanalOpen: bad timing in \"%s\"", setup);
        return 0;
    }
    return (uint32_t)(32000000 / (n[4] * (1 + n[1] + n[2])));
}

EXPORT int32_t CanalOpen(const char *setup, uint32_t flags) {
    called("CanalOpen \"%s\" %x", setup, flags);
    int64_t status;
    if (told_to_fail("CanalOpen", &status)) return (int32_t)status;
    char serial[64] = "";
    size_t size = 0;
    for (const char *c = setup; *c && *c != ';' && size < sizeof serial - 1; c++)
        if (isalnum((unsigned char)*c)) serial[size++] = (char)toupper((unsigned char)*c);
    uint32_t bitrate = size == 8 && !hook("absent", 0) ? bitrate_of(setup) : 0;
    if (flags & ~0xFu) violation("CanalOpen: flags %x", flags);
    if (!bitrate) return 0;
    pthread_mutex_lock(&lock);
    int index = 0, is_taken = 0;
    for (int i = 0; i < MAX_DEVICES; i++) is_taken |= devices[i].is_open && !memcmp(devices[i].serial, serial, 8);
    while (index < MAX_DEVICES && devices[index].is_open) index++;
    if (!is_taken && index < MAX_DEVICES) {
        Device *device = &devices[index];
        memset(device, 0, sizeof *device);
        memcpy(device->serial, serial, 8);
        device->flags = flags;
        device->bitrate = bitrate;
        device->port = port_open("can", (uint32_t)hook("full", QUEUE), bitrate, 0);
        device->is_open = 1;
        opened(1);
    }
    pthread_mutex_unlock(&lock);
    return is_taken || index == MAX_DEVICES ? 0 : FIRST_HANDLE + index;
}

EXPORT int32_t CanalClose(int32_t handle) {
    called("CanalClose %d", handle);
    Device *device = device_of("CanalClose", handle);
    if (!device) return SUCCESS;
    port_close(device->port);
    device->is_open = 0;
    opened(-1);
    int64_t status = SUCCESS;
    told_to_fail("CanalClose", &status); /* a failure that is reported after the fact: the handle is gone */
    return (int32_t)status;
}

/* Return what `canx` would have on the wire. */
EXPORT uint32_t stub_bitrate(int32_t handle) { return devices[handle - FIRST_HANDLE].bitrate; }

/* --- sending --------------------------------------------------------------------------------------------- */

static void check_message(const char *function, const CanalMsg *message) {
    int used = message->flags & MESSAGE_REMOTE ? 0 : message->sizeData;
    if (message->flags & ~(FROM_APPLICATION | MESSAGE_EXTENDED | MESSAGE_REMOTE))
        violation("%s: flags %x", function, message->flags);
    if (message->sizeData > 8) violation("%s: sizeData %d", function, message->sizeData);
    for (int i = used; i < 8; i++)
        if (message->data[i]) violation("%s: byte %d of the data is not zero", function, i);
    if (message->obid || message->timestamp) violation("%s: the object id or the time is not zero", function);
    if (message->id > (message->flags & MESSAGE_EXTENDED ? 0x1FFFFFFFu : 0x7FFu))
        violation("%s: identifier %x", function, message->id);
}

static void transmit(Device *device, const CanalMsg *message) {
    Record record = {.magic = MAGIC, .kind = KIND_FRAME, .length = message->sizeData, .id = message->id};
    record.flags = (uint8_t)((message->flags & MESSAGE_EXTENDED ? FLAG_EXTENDED : 0) |
                             (message->flags & MESSAGE_REMOTE ? FLAG_REMOTE : 0));
    memcpy(record.data, message->data, 8);
    device->statistics.TransmistFrams++;
    device->statistics.TransmitData += message->flags & MESSAGE_REMOTE ? 0 : message->sizeData;
    if (device->flags & LOOPBACK) {
        record.time_ns = now_ns();
        port_put(&ports[device->port], &record);
    } else port_send(device->port, record);
}

/* Put a message into the transmit queue; return whether there was room. */
static int queue_message(Device *device, const CanalMsg *message) {
    int is_stalled = hook("stalled", 0) || (device->flags & (SILENT | LOOPBACK)) == SILENT, found;
    pthread_mutex_lock(&lock);
    if (!is_stalled)
        for (uint32_t i = 0; i < device->queued; i++) transmit(device, &device->queue[i]);
    if (!is_stalled) device->queued = 0;
    found = device->queued < QUEUE;
    if (!is_stalled) transmit(device, message);
    else if (found) device->queue[device->queued++] = *message;
    pthread_mutex_unlock(&lock);
    return found;
}

static int32_t send_message(const char *function, int32_t handle, const CanalMsg *message, uint32_t ms) {
    int64_t status;
    if (told_to_fail(function, &status)) return (int32_t)status;
    Device *device = device_of(function, handle);
    if (!device) return SUCCESS;
    if (!message) return PARAMETER;
    check_message(function, message);
    if (device->is_unplugged) return COMMUNICATION;
    for (;; ms--) {
        if (queue_message(device, message)) return SUCCESS;
        if (!ms) return FIFO_FULL;
        usleep(1000);
    }
}

static void called_with(const char *function, int32_t handle, const CanalMsg *message) {
    char text[2 * sizeof *message + 1];
    for (size_t i = 0; message && i < sizeof *message; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)message)[i]);
    called("%s %d %s", function, handle, message ? text : "NULL");
}

EXPORT int32_t CanalSend(int32_t handle, const CanalMsg *message) {
    called_with("CanalSend", handle, message);
    return send_message("CanalSend", handle, message, 0);
}

EXPORT int32_t CanalBlockingSend(int32_t handle, const CanalMsg *message, uint32_t ms) {
    called_with("CanalBlockingSend", handle, message);
    if (!ms) violation("CanalBlockingSend: a wait of 0 ms");
    int32_t status = send_message("CanalBlockingSend", handle, message, ms);
    return status == FIFO_FULL ? TIMEOUT : status;
}

/* --- receiving ------------------------------------------------------------------------------------------- */

static uint32_t stamp_of(const Record *record) {
    int64_t time = record->time_ns ? record->time_ns : now_ns();
    int64_t ticks = time / hook("tick_ns", 1000) + hook("clock", 0);
    return (uint32_t)(ticks & ((INT64_C(1) << hook("clock_bits", 29)) - 1));
}

/* Take a record; return whether it is a message for the caller, and fill that in. */
static int message_of(Device *device, const Record *record, CanalMsg *message) {
    memset(message, 0, sizeof *message);
    message->timestamp = stamp_of(record);
    if (record->kind == KIND_FRAME) {
        if (device->flags & LOOPBACK && record->sender != device->port && record->serial) return 0;
        message->flags = record->flags & FLAG_EXTENDED ? MESSAGE_EXTENDED : 0;
        if (record->flags & FLAG_REMOTE) message->flags |= MESSAGE_REMOTE;
        if (record->flags & FLAG_FD) message->flags |= 8;
        message->id = record->id;
        message->sizeData = record->length;
        memcpy(message->data, record->data, 8);
        device->statistics.ReceiveFrams++;
        device->statistics.ReceiveData += record->flags & FLAG_REMOTE ? 0 : record->length;
        return 1;
    }
    /* a bus error of the kit has no code: the bit rates differ */
    uint8_t code = record->kind == KIND_OVERRUN ? 1 : record->code || record->kind == KIND_STATE ? (uint8_t)record->code : 0x21;
    device->status_code = code;
    device->rx_errors = record->data[0];
    device->tx_errors = record->data[1];
    if (code == 1) device->statistics.Overruns++;
    if (code == 2) device->statistics.BusWarnings++;
    if (code == 4) device->statistics.BusOff++;
    message->flags = 0x0300 | MESSAGE_STATUS;
    message->sizeData = 4;
    message->data[0] = code;
    message->data[1] = record->data[0];
    message->data[2] = record->data[1];
    return device->flags & STATUS_FRAMES;
}

static int32_t take(Device *device, CanalMsg *message) {
    Record record;
    while (port_take(device->port, &record))
        if (message_of(device, &record, message)) return SUCCESS;
    return device->is_unplugged ? COMMUNICATION : FIFO_EMPTY;
}

EXPORT int32_t CanalReceive(int32_t handle, CanalMsg *message) {
    called("CanalReceive %d", handle);
    int64_t status;
    if (told_to_fail("CanalReceive", &status)) return (int32_t)status;
    Device *device = device_of("CanalReceive", handle);
    return !device ? SUCCESS : message ? take(device, message) : PARAMETER;
}

EXPORT int32_t CanalBlockingReceive(int32_t handle, CanalMsg *message, uint32_t ms) {
    called("CanalBlockingReceive %d %u", handle, ms);
    int64_t status;
    if (told_to_fail("CanalBlockingReceive", &status)) return (int32_t)status;
    Device *device = device_of("CanalBlockingReceive", handle);
    if (!device) return SUCCESS;
    if (!message) return PARAMETER;
    if (!ms) violation("CanalBlockingReceive: a wait of 0 ms, which returns at once");
    for (int64_t left = ms == UINT32_MAX ? INT64_MAX : ms;; left -= 10) {
        int32_t found = take(device, message);
        if (found != FIFO_EMPTY) return found;
        if (left <= 0) return ++device->waits % 3 ? TIMEOUT : FIFO_EMPTY;
        port_wait(device->port, left < 10 ? left : 10); /* unplugging wakes no wait */
    }
}

#ifndef NO_OPTIONAL /* what some versions of the library lack */
EXPORT int32_t CanalDataAvailable(int32_t handle) {
    Device *device = device_of("CanalDataAvailable", handle);
    return device ? (int32_t)port_count(device->port) : 0;
}

/* --- information ----------------------------------------------------------------------------------------- */

EXPORT int32_t CanalGetStatus(int32_t handle, CanalStatus *status) {
    called("CanalGetStatus %d", handle);
    int64_t failure;
    if (told_to_fail("CanalGetStatus", &failure)) return (int32_t)failure;
    Device *device = device_of("CanalGetStatus", handle);
    if (!device) return SUCCESS;
    if (!status) return PARAMETER;
    if (device->is_unplugged) return COMMUNICATION;
    memset(status, 0xA5, sizeof *status);
    uint32_t word = device->tx_errors | (uint32_t)(device->rx_errors & 0x7F) << 8;
    if (device->status_code == 4) word |= 1u << 31;
    if (device->status_code == 3) word |= 3u << 29;
    if (device->status_code == 2) word |= 1u << 29;
    status->channel_status = (uint32_t)hook("channel_status", word);
    return SUCCESS;
}

EXPORT int32_t CanalGetStatistics(int32_t handle, CanalStatistics *statistics) {
    called("CanalGetStatistics %d", handle);
    int64_t failure;
    if (told_to_fail("CanalGetStatistics", &failure)) return (int32_t)failure;
    Device *device = device_of("CanalGetStatistics", handle);
    if (!device) return SUCCESS;
    if (!statistics) return PARAMETER;
    *statistics = device->statistics;
    memset(&device->statistics, 0, sizeof device->statistics);
    return SUCCESS;
}

EXPORT uint32_t CanalGetLevel(int32_t handle) { return device_of("CanalGetLevel", handle) ? 1 : 0; }
EXPORT uint32_t CanalGetVersion(void) { return 0x00060001; }
EXPORT uint32_t CanalGetDllVersion(void) { return 0x80060001; }
EXPORT const char *CanalGetVendorString(void) {
    return devices[0].is_open ? "1.5;1.0;canal 1.0.6;dll 1.0.6;8devices.com" : NULL;
}
#endif

EXPORT int32_t CanalSetFilter(int32_t handle, uint32_t filter) {
    violation("CanalSetFilter %d %x has no effect", handle, filter);
    return SUCCESS;
}
EXPORT int32_t CanalSetMask(int32_t handle, uint32_t mask) {
    violation("CanalSetMask %d %x has no effect", handle, mask);
    return SUCCESS;
}
EXPORT int32_t CanalSetBaudrate(int32_t handle, uint32_t baudrate) {
    violation("CanalSetBaudrate %d %u is not supported", handle, baudrate);
    return NOT_SUPPORTED;
}

/* --- the kit's ------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    for (int i = 0; i < MAX_DEVICES; i++)
        if (devices[i].is_open) {
            port_close(devices[i].port);
            devices[i].is_open = 0;
        }
}

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(CanalMsg) FIELD(CanalMsg, flags) FIELD(CanalMsg, obid) FIELD(CanalMsg, id) FIELD(CanalMsg, sizeData)
    FIELD(CanalMsg, data) FIELD(CanalMsg, timestamp)
    LAYOUT(CanalStatistics) FIELD(CanalStatistics, ReceiveFrams) FIELD(CanalStatistics, TransmistFrams)
    FIELD(CanalStatistics, ReceiveData) FIELD(CanalStatistics, TransmitData) FIELD(CanalStatistics, Overruns)
    FIELD(CanalStatistics, BusWarnings) FIELD(CanalStatistics, BusOff)
    LAYOUT(CanalStatus) FIELD(CanalStatus, channel_status) FIELD(CanalStatus, lasterrorcode)
    FIELD(CanalStatus, lasterrorsubcode) FIELD(CanalStatus, lasterrorstr)
    return -1;
}

static int library_inject(int32_t channel, const Record *record) {
    if (channel < 0 || channel >= MAX_DEVICES || !devices[channel].is_open) return -1;
    Record copy = *record;
    if (!copy.time_ns) copy.time_ns = now_ns();
    port_put(&ports[devices[channel].port], &copy);
    return 0;
}

static void library_unplug(int32_t device) {
    for (int i = 0; i < MAX_DEVICES; i++)
        if (device < 0 || device == i) devices[i].is_unplugged = 1;
}
