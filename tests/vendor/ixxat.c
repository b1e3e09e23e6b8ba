/* The VCI libraries of HMS Networks, emulated: vcinpl, and with -DFD=1 vcinpl2.
 *
 * Written from the vendor's headers cantype.h, vcitype.h, vcierr.h, vcinpl.h and vcinpl2.h. With
 * -DPLAIN_FORMAT=1 the library exports vciFormatError as well, as VCI 3 does.
 *
 * Two devices with two CAN controllers and one LIN controller each; all controllers are on one bus. What several
 * processes share about a controller (its owner, mode, filters, status) is a mapped file in the folder of wires.
 *
 * Hooks, and their values without an order:
 *   devices 2, guid_id 0 (the first has a GUID), no_texts 0, v3 0 (a read that ends without a message is TIMEOUT),
 *   features (of the controllers), clock 8000000, tsc_divisor 8, cms_divisor 800, cms_max_ticks 65535,
 *   start_tick 4660, no_timeovr 0, no_start 0, acknowledge 1 (0: frames stay in the transmit queue),
 *   bus_load 0
 */
#include "stub.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef FD
#define FD 0
#endif

/* --- types ------------------------------------------------------------------------------------------------- */

#pragma pack(push, 1)
typedef struct { uint32_t LowPart; int32_t HighPart; } LUID;
typedef union { LUID AsLuid; int64_t AsInt64; } VCIID;
typedef struct { uint32_t Data1; uint16_t Data2, Data3; uint8_t Data4[8]; } GUID;
typedef struct {
    VCIID VciObjectId;
    GUID DeviceClass;
    uint8_t DriverMajorVersion, DriverMinorVersion;
    uint16_t DriverBuildVersion;
    uint8_t HardwareBranchVersion, HardwareMajorVersion, HardwareMinorVersion, HardwareBuildVersion;
    union { char AsChar[16]; GUID AsGuid; } UniqueHardwareId;
    char Description[128], Manufacturer[126];
    uint16_t DriverReleaseVersion;
} VCIDEVICEINFO;
typedef struct { uint16_t BusCtrlCount, BusCtrlTypes[32]; } VCIDEVICECAPS;
typedef struct {
    uint16_t wCtrlType, wBusCoupling;
    uint32_t dwFeatures, dwClockFreq, dwTscDivisor, dwCmsDivisor, dwCmsMaxTicks, dwDtxDivisor, dwDtxMaxTicks;
} CANCAPABILITIES;
typedef struct { uint32_t dwMode, dwBPS; uint16_t wTS1, wTS2, wSJW, wTDO; } CANBTP;
typedef struct {
    uint16_t wCtrlType, wBusCoupling;
    uint32_t dwFeatures, dwCanClkFreq;
    CANBTP sSdrRangeMin, sSdrRangeMax, sFdrRangeMin, sFdrRangeMax;
    uint32_t dwTscClkFreq, dwTscDivisor, dwCmsClkFreq, dwCmsDivisor, dwCmsMaxTicks;
    uint32_t dwDtxClkFreq, dwDtxDivisor, dwDtxMaxTicks;
} CANCAPABILITIES2;
typedef struct { uint8_t bOpMode, bBtReg0, bBtReg1, bBusLoad; uint32_t dwStatus; } CANLINESTATUS;
typedef struct { uint8_t bOpMode, bExMode, bBusLoad, bReserved; CANBTP sBtpSdr, sBtpFdr; uint32_t dwStatus; } CANLINESTATUS2;
typedef struct { CANLINESTATUS sLineStatus; int32_t fActivated, fRxOverrun; uint8_t bRxFifoLoad, bTxFifoLoad; } CANCHANSTATUS;
typedef struct { CANLINESTATUS2 sLineStatus; uint8_t fActivated, fRxOverrun, bRxFifoLoad, bTxFifoLoad; } CANCHANSTATUS2;
typedef struct { uint8_t bTaskStat, abMsgStat[16]; } CANSCHEDULERSTATUS;
typedef struct { CANLINESTATUS2 sLineStatus; uint8_t bTaskStat, abMsgStat[16]; } CANSCHEDULERSTATUS2;
typedef union {
    struct { uint8_t bType, bAddFlags, bFlags, bAccept; } Bytes;
    uint32_t word;
} CANMSGINFO;
typedef struct { uint32_t dwTime, dwMsgId; CANMSGINFO uMsgInfo; uint8_t abData[8]; } CANMSG;
typedef struct { uint32_t dwTime, rsvd, dwMsgId; CANMSGINFO uMsgInfo; uint8_t abData[64]; } CANMSG2;
typedef struct { uint16_t wCycleTime; uint8_t bIncrMode, bByteIndex; uint32_t dwMsgId; CANMSGINFO uMsgInfo; uint8_t abData[8]; } CANCYCLICTXMSG;
typedef struct { uint16_t wCycleTime; uint8_t bIncrMode, bByteIndex; uint32_t dwMsgId; CANMSGINFO uMsgInfo; uint8_t abData[64]; } CANCYCLICTXMSG2;
#pragma pack(pop)

_Static_assert(sizeof(VCIDEVICEINFO) == 304 && sizeof(VCIDEVICECAPS) == 66, "device");
_Static_assert(offsetof(VCIDEVICEINFO, UniqueHardwareId) == 32 && offsetof(VCIDEVICEINFO, Manufacturer) == 176, "device");
_Static_assert(sizeof(CANCAPABILITIES) == 32 && sizeof(CANCAPABILITIES2) == 108 && sizeof(CANBTP) == 16, "capabilities");
_Static_assert(sizeof(CANLINESTATUS) == 8 && sizeof(CANLINESTATUS2) == 40, "line status");
_Static_assert(sizeof(CANCHANSTATUS) == 18 && sizeof(CANCHANSTATUS2) == 44, "channel status");
_Static_assert(sizeof(CANSCHEDULERSTATUS) == 17 && sizeof(CANSCHEDULERSTATUS2) == 57, "scheduler status");
_Static_assert(sizeof(CANMSG) == 20 && sizeof(CANMSG2) == 80, "messages");
_Static_assert(sizeof(CANCYCLICTXMSG) == 20 && sizeof(CANCYCLICTXMSG2) == 76, "cyclic messages");

#if FD
typedef CANMSG2 MSG;
typedef CANCYCLICTXMSG2 CYCLIC;
typedef CANCAPABILITIES2 CAPS;
typedef CANLINESTATUS2 LINE;
typedef CANCHANSTATUS2 CHANSTATUS;
typedef CANSCHEDULERSTATUS2 SCHEDSTATUS;
#else
typedef CANMSG MSG;
typedef CANCYCLICTXMSG CYCLIC;
typedef CANCAPABILITIES CAPS;
typedef CANLINESTATUS LINE;
typedef CANCHANSTATUS CHANSTATUS;
typedef CANSCHEDULERSTATUS SCHEDSTATUS;
#endif
typedef void *HANDLE;

enum {
    OK = 0,
    E_OUTOFMEMORY = 0x03, E_INVALIDARG = 0x04, E_INVPOINTER = 0x06, E_INVHANDLE = 0x07, E_ACCESSDENIED = 0x0A,
    E_TIMEOUT = 0x0B, E_NO_MORE_ITEMS = 0x0F, E_NOT_INITIALIZED = 0x10, E_ALREADY_INITIALIZED = 0x11,
    E_RXQUEUE_EMPTY = 0x12, E_TXQUEUE_FULL = 0x13, E_BUFFER_OVERFLOW = 0x14, E_INVALID_STATE = 0x15,
    E_INVALID_INDEX = 0x17, E_INVALID_TIMING = 0x1F, E_NO_SUCH_DEVICE = 0x21, E_NOT_CONNECTED = 0x22,
};
#define ERROR(code) (0xE0010000u | (code))

enum { TYPE_DATA, TYPE_INFO, TYPE_ERROR, TYPE_STATUS, TYPE_WAKEUP, TYPE_TIMEOVR };
enum { FLAG2_EDL = 4, FLAG2_FDR = 8, FLAG2_ESI = 16 };
enum { FLAG_DLC = 15, FLAG_OVR = 16, FLAG_SRR = 32, FLAG_RTR = 64, FLAG_EXT = 128 };
enum { MODE_STD = 1, MODE_EXT = 2, MODE_ERR = 4, MODE_LISTEN = 8 };
enum { EX_DATA = 1, EX_FAST = 2 };
enum { FILTER_LOCK = 1, FILTER_PASS, FILTER_INCL, FILTER_EXCL };
enum { STATUS_TXPEND = 1, STATUS_OVRRUN = 2, STATUS_ERRLIM = 4, STATUS_BUSOFF = 8, STATUS_ININIT = 16 };
enum {
    FEATURE_OR = 1, FEATURE_AND = 2, FEATURE_LISTEN = 0x40, FEATURE_SCHEDULER = 0x80,
    FEATURE_EXTDATA = 0x2000, FEATURE_FASTDATA = 0x4000,
    FEATURES = 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x80 | 0x400 | 0x800 | (FD ? 0x2000 | 0x4000 | 0x8000 : 0),
};
enum { CONTROLLERS = 2, CAN_CLOCK = 80000000 };
static const uint8_t LENGTHS[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64};

/* --- controllers, shared by all processes -------------------------------------------------------------------- */

enum { MAX_ENTRIES = 64 };
typedef struct { uint8_t mode; uint32_t code, mask, size, count, entries[MAX_ENTRIES][2]; } Filter;
typedef struct {
    int32_t initialized, started, opmode, exmode, btr0, btr1, scheduler_pid;
    CANBTP sdr, fdr;
    uint32_t bitrate, data_bitrate, status;
    Filter filters[2]; /* standard, extended */
} Shared;
typedef struct { int device, number; Shared *shared; } Controller;

enum { MAX_DEVICES = 8, MAX_HANDLES = 64 };
static Controller controllers[MAX_DEVICES][CONTROLLERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int initialized;
static uint32_t unplugged; /* a bit per device */

static void controller_path(char *path, size_t size, int device, int number) {
    snprintf(path, size, "%s/ixxat.%d.%d", kit_folder(), device, number);
}

static Controller *controller_of(int device, int number) {
    Controller *found = &controllers[device][number];
    if (!found->shared) {
        char path[128];
        controller_path(path, sizeof path, device, number);
        int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0 || ftruncate(file, sizeof(Shared))) perror("stub: shared");
        found->shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        close(file);
        found->device = device;
        found->number = number;
    }
    return found;
}

/* --- handles --------------------------------------------------------------------------------------------------- */

enum { KIND_ENUM = 1, KIND_DEVICE, KIND_CONTROL, KIND_CHANNEL, KIND_SCHEDULER };
enum { ENTRIES = 16 };
typedef struct { uint8_t state; CYCLIC message; uint32_t left; int endless; int64_t due_ns, period_ns; } Entry;
typedef struct {
    int kind, generation, inside; /* kind: 0 if the handle is closed */
    int device;
    Controller *controller;
    int at;        /* of an enumeration */
    int owner;     /* file of a control, whose lock is the ownership */
    int port, is_initialized, is_active, rx_size, tx_size, overrun; /* of a channel */
    int64_t high;  /* overruns of the counter that were reported */
    Record held;
    int has_held;
    MSG *pending; /* the transmit queue */
    int pending_count;
    pthread_t worker; /* of a scheduler */
    int is_working, stop;
    Entry entries[ENTRIES];
} Object;
static Object objects[MAX_HANDLES];

static HANDLE handle_of(const Object *object) {
    return (HANDLE)(uintptr_t)(0x40000000u | (uint32_t)object->kind << 24 | ((uint32_t)object->generation & 0xFFFF) << 8 |
                               (uint32_t)(object - objects));
}

static Object *new_object(int kind, int device, Controller *controller) {
    pthread_mutex_lock(&lock);
    Object *object = NULL;
    for (int i = 0; i < MAX_HANDLES && !object; i++)
        if (!objects[i].kind) object = &objects[i];
    if (object) {
        int generation = object->generation + 1;
        memset(object, 0, sizeof *object);
        object->kind = kind;
        object->generation = generation;
        object->device = device;
        object->controller = controller;
        object->port = object->owner = -1;
        opened(1);
    }
    pthread_mutex_unlock(&lock);
    return object;
}

static Object *object_of(HANDLE handle, int kind, const char *function) {
    uintptr_t value = (uintptr_t)handle;
    Object *object = (value & 0xFF) < MAX_HANDLES ? &objects[value & 0xFF] : NULL;
    if (!object || object->kind != kind || handle_of(object) != handle) {
        violation("%s: handle %lx is closed or of another kind", function, (unsigned long)value);
        return NULL;
    }
    return object;
}

static void free_object(Object *object) {
    pthread_mutex_lock(&lock);
    object->kind = 0;
    opened(-1);
    pthread_mutex_unlock(&lock);
}

/* Begin a function: log it, obey an order to fail, and check that the library was initialized. */
#define BEGIN(function, ...)                                                      \
    do {                                                                          \
        called(function " " __VA_ARGS__);                                         \
        QUIET(function)                                                           \
    } while (0)
#define QUIET(function)                                                           \
    int64_t order;                                                                \
    if (told_to_fail(function, &order)) return (uint32_t)order;                   \
    if (!initialized) {                                                           \
        violation(function ": before vciInitialize");                             \
        return ERROR(E_NOT_INITIALIZED);                                          \
    }
#define OBJECT(function, handle, kind)                                            \
    Object *object = object_of(handle, kind, function);                           \
    if (!object) return ERROR(E_INVHANDLE);                                       \
    if (unplugged >> object->device & 1) return ERROR(E_NOT_CONNECTED);
#define POINTER(pointer)                                                          \
    if (!(pointer)) return ERROR(E_INVPOINTER);

/* --- the counter --------------------------------------------------------------------------------------------------- */

static int64_t boot_ns;

static uint64_t ticks_at(int64_t time_ns) {
    if (!boot_ns) boot_ns = now_ns() - kit_shift_ns;
    double ticks = (double)(time_ns - boot_ns) / 1e9 * (double)hook("clock", 8000000) / (double)hook("tsc_divisor", 8);
    int64_t whole = (int64_t)ticks + hook("start_tick", 4660);
    return whole < 0 ? 0 : (uint64_t)whole;
}

/* --- the library, devices ------------------------------------------------------------------------------------------ */

EXPORT uint32_t vciInitialize(void) {
    called("vciInitialize");
    int64_t order;
    if (told_to_fail("vciInitialize", &order)) return (uint32_t)order;
    if (initialized) return ERROR(E_ALREADY_INITIALIZED);
    initialized = 1;
    return OK;
}

static const char *text_of(uint32_t code) {
    switch (code & 0xFFFF) {
    case E_INVALIDARG: return "One or more arguments are invalid.";
    case E_INVHANDLE: return "Invalid handle.";
    case E_ACCESSDENIED: return "Access denied.";
    case E_NO_SUCH_DEVICE: return "The device does not exist.";
    case E_NOT_CONNECTED: return "The device is not connected.\r\n";
    case E_INVALID_INDEX: return "Invalid index.";
    default: return "";
    }
}

EXPORT void vciFormatErrorA(uint32_t code, char *buffer, uint32_t size) {
    if (buffer && size) snprintf(buffer, size, "%s", hook("no_texts", 0) ? "" : text_of(code));
}
#if defined(PLAIN_FORMAT)
EXPORT void vciFormatError(uint32_t code, char *buffer, uint32_t size) { vciFormatErrorA(code, buffer, size); }
#endif

#if FD
EXPORT uint32_t vciGetVersion(uint32_t *major, uint32_t *minor, uint32_t *revision, uint32_t *build) {
    BEGIN("vciGetVersion");
    POINTER(major && minor && revision && build)
    *major = 4, *minor = 0, *revision = 1, *build = 2;
    return OK;
}
EXPORT uint32_t vciGetVersionEx(uint32_t *major, uint32_t *minor, uint32_t *revision, uint32_t *build) {
    return vciGetVersion(major, minor, revision, build);
}
#else
EXPORT uint32_t vciGetVersion(uint32_t *major, uint32_t *minor) {
    BEGIN("vciGetVersion");
    POINTER(major && minor)
    *major = 3, *minor = 5;
    return OK;
}
#endif

static int device_count(void) { return (int)hook("devices", 2); }

static void fill_info(VCIDEVICEINFO *info, int device) {
    memset(info, 0, sizeof *info);
    info->VciObjectId.AsLuid = (LUID){0xA000u + (uint32_t)device, 1};
    info->DeviceClass = (GUID){0x3BCBE6B5, 1, 2, {1, 2, 3, 4, 5, 6, 7, 8}};
    info->DriverMajorVersion = 4;
    info->HardwareMajorVersion = 1;
    if (hook("guid_id", 0) && device == 0)
        info->UniqueHardwareId.AsGuid = (GUID){0x01020304, 0x0506, 0x0708, {9, 10, 11, 12, 13, 14, 15, 16}};
    else
        snprintf(info->UniqueHardwareId.AsChar, 16, "HW%d", 100001 + device);
    snprintf(info->Description, sizeof info->Description, "USB-to-CAN %s", FD ? "FD" : "V2 compact");
    snprintf(info->Manufacturer, sizeof info->Manufacturer, "HMS Technology Center");
}

EXPORT uint32_t vciEnumDeviceOpen(HANDLE *handle) {
    BEGIN("vciEnumDeviceOpen");
    POINTER(handle)
    Object *object = new_object(KIND_ENUM, 31, NULL);
    if (!object) return ERROR(E_OUTOFMEMORY);
    *handle = handle_of(object);
    return OK;
}
EXPORT uint32_t vciEnumDeviceClose(HANDLE handle) {
    BEGIN("vciEnumDeviceClose");
    OBJECT("vciEnumDeviceClose", handle, KIND_ENUM)
    free_object(object);
    return OK;
}
EXPORT uint32_t vciEnumDeviceReset(HANDLE handle) {
    BEGIN("vciEnumDeviceReset");
    OBJECT("vciEnumDeviceReset", handle, KIND_ENUM)
    object->at = 0;
    return OK;
}
EXPORT uint32_t vciEnumDeviceNext(HANDLE handle, VCIDEVICEINFO *info) {
    BEGIN("vciEnumDeviceNext");
    OBJECT("vciEnumDeviceNext", handle, KIND_ENUM)
    POINTER(info)
    while (object->at < device_count() && unplugged >> object->at & 1) object->at++;
    if (object->at >= device_count()) return ERROR(E_NO_MORE_ITEMS);
    fill_info(info, object->at++);
    return OK;
}
EXPORT uint32_t vciEnumDeviceWaitEvent(HANDLE handle, uint32_t milliseconds) {
    (void)milliseconds;
    BEGIN("vciEnumDeviceWaitEvent");
    OBJECT("vciEnumDeviceWaitEvent", handle, KIND_ENUM)
    return ERROR(E_TIMEOUT);
}
EXPORT uint32_t vciFindDeviceByHwid(const GUID *wanted, VCIID *id) {
    BEGIN("vciFindDeviceByHwid");
    POINTER(wanted && id)
    for (int device = 0; device < device_count(); device++) {
        VCIDEVICEINFO info;
        fill_info(&info, device);
        if (!memcmp(&info.UniqueHardwareId, wanted, sizeof *wanted)) {
            *id = info.VciObjectId;
            return OK;
        }
    }
    return ERROR(E_NO_SUCH_DEVICE);
}
EXPORT uint32_t vciDeviceOpen(const VCIID *id, HANDLE *handle) {
    BEGIN("vciDeviceOpen", "id=%llx", id ? (long long)id->AsInt64 : 0);
    POINTER(id && handle)
    int device = (int)(id->AsLuid.LowPart - 0xA000u);
    if (id->AsLuid.HighPart != 1 || device < 0 || device >= device_count() || device >= MAX_DEVICES) {
        violation("vciDeviceOpen: no such identifier");
        return ERROR(E_NO_SUCH_DEVICE);
    }
    if (unplugged >> device & 1) return ERROR(E_NOT_CONNECTED);
    Object *object = new_object(KIND_DEVICE, device, NULL);
    if (!object) return ERROR(E_OUTOFMEMORY);
    *handle = handle_of(object);
    return OK;
}
EXPORT uint32_t vciDeviceClose(HANDLE handle) {
    called("vciDeviceClose");
    Object *object = object_of(handle, KIND_DEVICE, "vciDeviceClose");
    if (!object) return ERROR(E_INVHANDLE);
    free_object(object);
    return unplugged >> object->device & 1 ? ERROR(E_NOT_CONNECTED) : OK;
}
EXPORT uint32_t vciDeviceGetInfo(HANDLE handle, VCIDEVICEINFO *info) {
    BEGIN("vciDeviceGetInfo");
    OBJECT("vciDeviceGetInfo", handle, KIND_DEVICE)
    POINTER(info)
    fill_info(info, object->device);
    return OK;
}
EXPORT uint32_t vciDeviceGetCaps(HANDLE handle, VCIDEVICECAPS *caps) {
    BEGIN("vciDeviceGetCaps");
    OBJECT("vciDeviceGetCaps", handle, KIND_DEVICE)
    POINTER(caps)
    memset(caps, 0, sizeof *caps);
    caps->BusCtrlCount = 3;
    caps->BusCtrlTypes[0] = 0x0108, caps->BusCtrlTypes[1] = 0x0201, caps->BusCtrlTypes[2] = 0x0108;
    return OK;
}

/* --- controls -------------------------------------------------------------------------------------------------------- */

static void fill_caps(CAPS *caps) {
    memset(caps, 0, sizeof *caps);
    caps->wCtrlType = 8;
    caps->wBusCoupling = 1;
    caps->dwFeatures = (uint32_t)hook("features", FEATURES);
    uint32_t clock = (uint32_t)hook("clock", 8000000), tsc = (uint32_t)hook("tsc_divisor", 8);
    uint32_t cms = (uint32_t)hook("cms_divisor", 800), most = (uint32_t)hook("cms_max_ticks", 65535);
#if FD
    caps->dwCanClkFreq = CAN_CLOCK;
    caps->sSdrRangeMin = (CANBTP){0, 1, 2, 1, 1, 0}, caps->sSdrRangeMax = (CANBTP){0, 512, 256, 128, 128, 0};
    caps->sFdrRangeMin = (CANBTP){0, 1, 1, 1, 1, 0}, caps->sFdrRangeMax = (CANBTP){0, 32, 32, 16, 16, 127};
    caps->dwTscClkFreq = clock, caps->dwCmsClkFreq = clock;
#else
    caps->dwClockFreq = clock;
#endif
    caps->dwTscDivisor = tsc, caps->dwCmsDivisor = cms, caps->dwCmsMaxTicks = most;
}

static void fill_line(LINE *line, const Shared *shared) {
    LINE full = {0};
    full.bOpMode = (uint8_t)shared->opmode;
    full.bBusLoad = (uint8_t)hook("bus_load", 0);
    full.dwStatus = shared->status | (shared->started ? 0 : STATUS_ININIT);
#if FD
    full.bExMode = (uint8_t)shared->exmode;
    full.sBtpSdr = shared->sdr, full.sBtpFdr = shared->fdr;
#else
    full.bBtReg0 = (uint8_t)shared->btr0, full.bBtReg1 = (uint8_t)shared->btr1;
#endif
    memcpy(line, &full, sizeof full);
}

EXPORT uint32_t canControlOpen(HANDLE device, uint32_t number, HANDLE *handle) {
    BEGIN("canControlOpen", "number=%u", number);
    OBJECT("canControlOpen", device, KIND_DEVICE)
    POINTER(handle)
    *handle = NULL;
    if (number >= CONTROLLERS) return ERROR(E_INVALID_INDEX);
    Controller *controller = controller_of(object->device, (int)number);
    char path[128];
    controller_path(path, sizeof path, controller->device, controller->number);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (flock(file, LOCK_EX | LOCK_NB)) {
        close(file);
        return ERROR(E_ACCESSDENIED);
    }
    memset(controller->shared, 0, sizeof(Shared)); /* the owner before may have ended without closing */
    controller->shared->filters[0].mode = controller->shared->filters[1].mode = FILTER_PASS;
    Object *control = new_object(KIND_CONTROL, object->device, controller);
    if (!control) return ERROR(E_OUTOFMEMORY);
    control->owner = file;
    *handle = handle_of(control);
    return OK;
}

/* Put a message about the controller into the queue of each active channel of this process. */
static void put_all(const Controller *controller, Record record, int clear) {
    if (!record.time_ns) record.time_ns = now_ns();
    record.code |= (uint32_t)record.kind << 24; /* frames of the bus have other codes */
    for (int i = 0; i < MAX_HANDLES; i++)
        if (objects[i].kind == KIND_CHANNEL && objects[i].controller == controller && objects[i].is_active) {
            if (clear) port_clear(objects[i].port);
            ports[objects[i].port].bitrate = controller->shared->bitrate;
            ports[objects[i].port].data_bitrate = controller->shared->data_bitrate;
            port_put(&ports[objects[i].port], &record);
        }
}

enum { PUT_INFO = 16 };
static void put_info(const Controller *controller, int what, int clear) {
    put_all(controller, (Record){.kind = PUT_INFO, .code = (uint32_t)what}, clear);
}

static void flush(Object *channel); /* sends what waits in the transmit queue, if the controller can */

EXPORT uint32_t canControlStart(HANDLE handle, int32_t start) {
    BEGIN("canControlStart", "start=%d", start);
    OBJECT("canControlStart", handle, KIND_CONTROL)
    Shared *shared = object->controller->shared;
    if (start && !shared->initialized) {
        violation("canControlStart: before canControlInitialize");
        return ERROR(E_INVALID_STATE);
    }
    int was_started = shared->started;
    shared->started = start != 0;
    if (start && !was_started && !hook("no_start", 0)) put_info(object->controller, 1, 1);
    if (!start && was_started) put_info(object->controller, 2, 0);
    for (int i = 0; i < MAX_HANDLES && start; i++)
        if (objects[i].kind == KIND_CHANNEL && objects[i].controller == object->controller) flush(&objects[i]);
    return OK;
}
EXPORT uint32_t canControlReset(HANDLE handle) {
    BEGIN("canControlReset");
    OBJECT("canControlReset", handle, KIND_CONTROL)
    Shared *shared = object->controller->shared;
    shared->started = 0;
    shared->status = 0;
    for (int i = 0; i < 2; i++) shared->filters[i].count = 0, shared->filters[i].mask = 0, shared->filters[i].code = 0;
    put_info(object->controller, 3, 0);
    return OK;
}
EXPORT uint32_t canControlClose(HANDLE handle) {
    called("canControlClose");
    Object *object = object_of(handle, KIND_CONTROL, "canControlClose");
    if (!object) return ERROR(E_INVHANDLE);
    if (object->controller->shared->started && !(unplugged >> object->device & 1))
        violation("canControlClose: the controller is started");
    close(object->owner);
    free_object(object);
    return unplugged >> object->device & 1 ? ERROR(E_NOT_CONNECTED) : OK;
}
EXPORT uint32_t canControlGetCaps(HANDLE handle, CAPS *caps) {
    BEGIN("canControlGetCaps");
    OBJECT("canControlGetCaps", handle, KIND_CONTROL)
    POINTER(caps)
    fill_caps(caps);
    return OK;
}
EXPORT uint32_t canControlGetStatus(HANDLE handle, LINE *status) {
    BEGIN("canControlGetStatus");
    OBJECT("canControlGetStatus", handle, KIND_CONTROL)
    POINTER(status)
    fill_line(status, object->controller->shared);
    return OK;
}

static uint32_t check_mode(Shared *shared, uint8_t mode) {
    uint32_t features = (uint32_t)hook("features", FEATURES);
    int both = (mode & (MODE_STD | MODE_EXT)) == (MODE_STD | MODE_EXT);
    if (shared->started) {
        violation("canControlInitialize: the controller is started");
        return ERROR(E_INVALID_STATE);
    }
    if (mode & ~0x3F || !(mode & (MODE_STD | MODE_EXT)) || (both && !(features & FEATURE_AND)) ||
        (mode & MODE_LISTEN && !(features & FEATURE_LISTEN)) || (mode & MODE_ERR && !(features & 8))) {
        violation("canControlInitialize: mode %x", mode);
        return ERROR(E_INVALIDARG);
    }
    return OK;
}

#if FD
static uint32_t rate_of(const CANBTP *timing) {
    if (!timing || !timing->dwBPS || !timing->wTS1 || !timing->wTS2 || !timing->wSJW) return 0;
    if (!(timing->dwMode & 1)) return timing->dwBPS;
    return CAN_CLOCK / (timing->dwBPS * (1u + timing->wTS1 + timing->wTS2));
}
EXPORT uint32_t canControlInitialize(HANDLE handle, uint8_t mode, uint8_t exmode, uint8_t std_mode, uint8_t ext_mode,
                                     uint32_t std_size, uint32_t ext_size, const CANBTP *sdr, const CANBTP *fdr) {
    BEGIN("canControlInitialize", "mode=%x ex=%x filters=%u/%u sizes=%u/%u sdr=%x:%u:%u:%u:%u:%u fdr=%x:%u:%u:%u:%u:%u", mode, exmode,
          std_mode, ext_mode, std_size, ext_size, sdr ? sdr->dwMode : 0, sdr ? sdr->dwBPS : 0, sdr ? sdr->wTS1 : 0,
          sdr ? sdr->wTS2 : 0, sdr ? sdr->wSJW : 0, sdr ? sdr->wTDO : 0, fdr ? fdr->dwMode : 0, fdr ? fdr->dwBPS : 0,
          fdr ? fdr->wTS1 : 0, fdr ? fdr->wTS2 : 0, fdr ? fdr->wSJW : 0, fdr ? fdr->wTDO : 0);
    OBJECT("canControlInitialize", handle, KIND_CONTROL)
    POINTER(sdr && fdr)
    Shared *shared = object->controller->shared;
    uint32_t result = check_mode(shared, mode);
    if (result) return result;
    uint32_t features = (uint32_t)hook("features", FEATURES);
    if (exmode & ~7 || (exmode & EX_DATA && !(features & FEATURE_EXTDATA)) || (exmode & EX_FAST && !(features & FEATURE_FASTDATA)) ||
        std_mode < 1 || std_mode > 4 || ext_mode < 1 || ext_mode > 4 || std_size > 2048 || ext_size > 2048) {
        violation("canControlInitialize: extended mode %x, filters %u, %u", exmode, std_mode, ext_mode);
        return ERROR(E_INVALIDARG);
    }
    if (!rate_of(sdr) || (exmode & EX_FAST && !rate_of(fdr))) return ERROR(E_INVALID_TIMING);
    shared->opmode = mode, shared->exmode = exmode;
    shared->sdr = *sdr, shared->fdr = *fdr;
    shared->bitrate = rate_of(sdr), shared->data_bitrate = exmode & EX_FAST ? rate_of(fdr) : 0;
    for (int i = 0; i < 2; i++) {
        memset(&shared->filters[i], 0, sizeof shared->filters[i]);
        shared->filters[i].mode = i ? ext_mode : std_mode;
        shared->filters[i].size = i ? ext_size : std_size;
    }
    shared->initialized = 1;
    return OK;
}
EXPORT uint32_t canControlDetectBitrate(HANDLE handle, uint8_t mode, uint8_t exmode, uint16_t ms, uint32_t count, const CANBTP *sdr,
                                        const CANBTP *fdr, uint32_t *index) {
    (void)mode, (void)exmode, (void)ms, (void)count, (void)sdr, (void)fdr;
    BEGIN("canControlDetectBitrate");
    OBJECT("canControlDetectBitrate", handle, KIND_CONTROL)
    POINTER(index)
    return ERROR(E_TIMEOUT);
}
EXPORT uint32_t canControlGetFilterMode(HANDLE handle, int32_t extended, uint8_t *mode) {
    BEGIN("canControlGetFilterMode");
    OBJECT("canControlGetFilterMode", handle, KIND_CONTROL)
    POINTER(mode)
    *mode = object->controller->shared->filters[extended != 0].mode;
    return OK;
}
EXPORT uint32_t canControlSetFilterMode(HANDLE handle, int32_t extended, uint8_t mode, uint8_t *before) {
    BEGIN("canControlSetFilterMode", "extended=%d mode=%u", extended, mode);
    OBJECT("canControlSetFilterMode", handle, KIND_CONTROL)
    if (mode < 1 || mode > 4) return ERROR(E_INVALIDARG);
    if (before) *before = object->controller->shared->filters[extended != 0].mode;
    object->controller->shared->filters[extended != 0].mode = mode;
    return OK;
}
#else
EXPORT uint32_t canControlInitialize(HANDLE handle, uint8_t mode, uint8_t btr0, uint8_t btr1) {
    BEGIN("canControlInitialize", "mode=%x btr=%02x%02x", mode, btr0, btr1);
    OBJECT("canControlInitialize", handle, KIND_CONTROL)
    Shared *shared = object->controller->shared;
    uint32_t result = check_mode(shared, mode);
    if (result) return result;
    shared->opmode = mode, shared->btr0 = btr0, shared->btr1 = btr1;
    uint32_t quanta = 3u + (btr1 & 15) + (btr1 >> 4 & 7);
    shared->bitrate = 8000000u / ((1u + (btr0 & 63)) * quanta);
    shared->data_bitrate = 0;
    shared->initialized = 1;
    return OK;
}
EXPORT uint32_t canControlDetectBitrate(HANDLE handle, uint16_t ms, uint32_t count, const uint8_t *btr0, const uint8_t *btr1, int32_t *index) {
    (void)ms, (void)count, (void)btr0, (void)btr1;
    BEGIN("canControlDetectBitrate");
    OBJECT("canControlDetectBitrate", handle, KIND_CONTROL)
    POINTER(index)
    *index = -1;
    return ERROR(E_TIMEOUT);
}
#endif

EXPORT uint32_t canControlSetAccFilter(HANDLE handle, int32_t extended, uint32_t code, uint32_t mask) {
    BEGIN("canControlSetAccFilter", "extended=%d code=%x mask=%x", extended, code, mask);
    OBJECT("canControlSetAccFilter", handle, KIND_CONTROL)
    if (object->controller->shared->started) {
        violation("canControlSetAccFilter: the controller is started");
        return ERROR(E_INVALID_STATE);
    }
    Filter *filter = &object->controller->shared->filters[extended != 0];
    filter->code = code, filter->mask = mask;
    if (!FD) filter->count = 0;
    return OK;
}
EXPORT uint32_t canControlAddFilterIds(HANDLE handle, int32_t extended, uint32_t code, uint32_t mask) {
    BEGIN("canControlAddFilterIds", "extended=%d code=%x mask=%x", extended, code, mask);
    OBJECT("canControlAddFilterIds", handle, KIND_CONTROL)
    Filter *filter = &object->controller->shared->filters[extended != 0];
    if ((FD && !filter->size) || filter->count == MAX_ENTRIES) return ERROR(E_BUFFER_OVERFLOW);
    filter->entries[filter->count][0] = code;
    filter->entries[filter->count++][1] = mask;
    return OK;
}
EXPORT uint32_t canControlRemFilterIds(HANDLE handle, int32_t extended, uint32_t code, uint32_t mask) {
    BEGIN("canControlRemFilterIds", "extended=%d code=%x mask=%x", extended, code, mask);
    OBJECT("canControlRemFilterIds", handle, KIND_CONTROL)
    Filter *filter = &object->controller->shared->filters[extended != 0];
    for (uint32_t i = 0; i < filter->count; i++)
        if (filter->entries[i][0] == code && filter->entries[i][1] == mask) {
            filter->count--;
            memmove(filter->entries[i], filter->entries[i + 1], (filter->count - i) * sizeof filter->entries[0]);
            return OK;
        }
    return ERROR(E_INVALIDARG);
}

static int passes(const Shared *shared, const Record *record) {
    const Filter *filter = &shared->filters[!!(record->flags & FLAG_EXTENDED)];
    uint32_t bit = record->id << 1 | !!(record->flags & FLAG_REMOTE);
    if (FD && filter->mode == FILTER_PASS) return 1;
    if (FD && filter->mode == FILTER_LOCK) return 0;
    int found = !FD && !((bit ^ filter->code) & filter->mask);
    for (uint32_t i = 0; i < filter->count && !found; i++) found = !((bit ^ filter->entries[i][0]) & filter->entries[i][1]);
    return FD && filter->mode == FILTER_EXCL ? !found : found;
}

/* --- channels -------------------------------------------------------------------------------------------------------- */

EXPORT uint32_t canChannelOpen(HANDLE device, uint32_t number, int32_t exclusive, HANDLE *handle) {
    BEGIN("canChannelOpen", "number=%u exclusive=%d", number, exclusive);
    OBJECT("canChannelOpen", device, KIND_DEVICE)
    POINTER(handle)
    *handle = NULL;
    if (number >= CONTROLLERS) return ERROR(E_INVALID_INDEX);
    Object *channel = new_object(KIND_CHANNEL, object->device, controller_of(object->device, (int)number));
    if (!channel) return ERROR(E_OUTOFMEMORY);
    *handle = handle_of(channel);
    return OK;
}

static void close_channel(Object *object) {
    if (object->port >= 0) port_close(object->port);
    object->port = -1;
    free(object->pending);
    object->pending = NULL;
    free_object(object);
}
EXPORT uint32_t canChannelClose(HANDLE handle) {
    called("canChannelClose");
    Object *object = object_of(handle, KIND_CHANNEL, "canChannelClose");
    if (!object) return ERROR(E_INVHANDLE);
    if (__atomic_load_n(&object->inside, __ATOMIC_ACQUIRE)) violation("canChannelClose: another thread is inside");
    close_channel(object);
    return unplugged >> object->device & 1 ? ERROR(E_NOT_CONNECTED) : OK;
}

static uint32_t initialize_channel(Object *object, uint16_t rx, uint16_t tx) {
    if (!rx || !tx) return ERROR(E_INVALIDARG);
    if (object->is_initialized) return ERROR(E_INVALID_STATE);
    object->port = port_open("ixxat", rx, 0, 0);
    object->rx_size = rx, object->tx_size = tx;
    object->pending = calloc(tx, sizeof(MSG));
    object->is_initialized = 1;
    return OK;
}
#if FD
EXPORT uint32_t canChannelInitialize(HANDLE handle, uint16_t rx, uint16_t rx_threshold, uint16_t tx, uint16_t tx_threshold, uint32_t filter_size, uint8_t filter_mode) {
    BEGIN("canChannelInitialize", "rx=%u/%u tx=%u/%u filter=%u/%u", rx, rx_threshold, tx, tx_threshold, filter_size, filter_mode);
    OBJECT("canChannelInitialize", handle, KIND_CHANNEL)
    if ((filter_mode & 0x7F) < 1 || (filter_mode & 0x7F) > 4 || filter_size > 2048) {
        violation("canChannelInitialize: filter mode %u", filter_mode);
        return ERROR(E_INVALIDARG);
    }
    return initialize_channel(object, rx, tx);
}
/* The filters of channels are not emulated: canx and python-can let everything pass there. */
EXPORT uint32_t canChannelGetFilterMode(HANDLE handle, int32_t extended, uint8_t *mode) {
    (void)extended;
    BEGIN("canChannelGetFilterMode");
    OBJECT("canChannelGetFilterMode", handle, KIND_CHANNEL)
    POINTER(mode)
    *mode = FILTER_PASS;
    return OK;
}
EXPORT uint32_t canChannelSetFilterMode(HANDLE handle, int32_t extended, uint8_t mode, uint8_t *before) {
    (void)extended;
    BEGIN("canChannelSetFilterMode");
    OBJECT("canChannelSetFilterMode", handle, KIND_CHANNEL)
    if (before) *before = FILTER_PASS;
    return mode == FILTER_PASS ? OK : ERROR(E_INVALIDARG);
}
EXPORT uint32_t canChannelSetAccFilter(HANDLE handle, int32_t extended, uint32_t code, uint32_t mask) {
    (void)extended, (void)code, (void)mask;
    BEGIN("canChannelSetAccFilter");
    OBJECT("canChannelSetAccFilter", handle, KIND_CHANNEL)
    return OK;
}
EXPORT uint32_t canChannelAddFilterIds(HANDLE handle, int32_t extended, uint32_t code, uint32_t mask) {
    (void)extended, (void)code, (void)mask;
    BEGIN("canChannelAddFilterIds");
    OBJECT("canChannelAddFilterIds", handle, KIND_CHANNEL)
    return ERROR(E_BUFFER_OVERFLOW);
}
EXPORT uint32_t canChannelRemFilterIds(HANDLE handle, int32_t extended, uint32_t code, uint32_t mask) {
    return canChannelAddFilterIds(handle, extended, code, mask);
}
EXPORT uint32_t canChannelGetControl(HANDLE handle, HANDLE *control) {
    BEGIN("canChannelGetControl");
    OBJECT("canChannelGetControl", handle, KIND_CHANNEL)
    POINTER(control)
    return ERROR(E_ACCESSDENIED);
}
EXPORT uint32_t canSchedulerGetControl(HANDLE handle, HANDLE *control) {
    BEGIN("canSchedulerGetControl");
    OBJECT("canSchedulerGetControl", handle, KIND_SCHEDULER)
    POINTER(control)
    return ERROR(E_ACCESSDENIED);
}
#else
EXPORT uint32_t canChannelInitialize(HANDLE handle, uint16_t rx, uint16_t rx_threshold, uint16_t tx, uint16_t tx_threshold) {
    BEGIN("canChannelInitialize", "rx=%u/%u tx=%u/%u", rx, rx_threshold, tx, tx_threshold);
    OBJECT("canChannelInitialize", handle, KIND_CHANNEL)
    return initialize_channel(object, rx, tx);
}
#endif

#define INITIALIZED(function)                                                  \
    if (!object->is_initialized) {                                             \
        violation(function ": before canChannelInitialize");                   \
        return ERROR(E_INVALID_STATE);                                         \
    }

EXPORT uint32_t canChannelActivate(HANDLE handle, int32_t active) {
    BEGIN("canChannelActivate", "active=%d", active);
    OBJECT("canChannelActivate", handle, KIND_CHANNEL)
    INITIALIZED("canChannelActivate")
    object->is_active = active != 0;
    if (active) {
        ports[object->port].bitrate = object->controller->shared->bitrate;
        ports[object->port].data_bitrate = object->controller->shared->data_bitrate;
        port_clear(object->port);
    }
    return OK;
}
EXPORT uint32_t canChannelGetCaps(HANDLE handle, CAPS *caps) {
    BEGIN("canChannelGetCaps");
    OBJECT("canChannelGetCaps", handle, KIND_CHANNEL)
    POINTER(caps)
    fill_caps(caps);
    return OK;
}
EXPORT uint32_t canChannelGetStatus(HANDLE handle, CHANSTATUS *status) {
    BEGIN("canChannelGetStatus");
    OBJECT("canChannelGetStatus", handle, KIND_CHANNEL)
    POINTER(status)
    INITIALIZED("canChannelGetStatus")
    flush(object);
    memset(status, 0, sizeof *status);
    fill_line(&status->sLineStatus, object->controller->shared);
    if (object->pending_count) status->sLineStatus.dwStatus |= STATUS_TXPEND;
    status->fActivated = object->is_active != 0;
    status->fRxOverrun = ports[object->port].overrun != 0;
    status->bRxFifoLoad = (uint8_t)(100 * port_count(object->port) / (uint32_t)object->rx_size);
    status->bTxFifoLoad = (uint8_t)((100 * object->pending_count + object->tx_size - 1) / object->tx_size);
    return OK;
}

static uint32_t key_of(const Controller *controller) { return (uint32_t)(1 + controller->device * CONTROLLERS + controller->number); }

static void fill_message(MSG *message, uint32_t time, uint32_t id, uint8_t type, uint8_t first, uint8_t second) {
    memset(message, 0, sizeof *message);
    message->dwTime = time, message->dwMsgId = id;
    message->uMsgInfo.Bytes.bType = type;
    message->uMsgInfo.Bytes.bAccept = 0xFF;
    message->abData[0] = first, message->abData[1] = second;
}

/* Turn a record into a message; return whether the channel gets it. */
static int fill_from(MSG *message, Object *channel, Record *record, uint32_t time) {
    const Shared *shared = channel->controller->shared;
    if (record->code >> 24 == PUT_INFO) { /* start, stop, reset: only the start has a time */
        uint8_t what = (uint8_t)record->code;
        fill_message(message, what == 1 ? time : 0, 0xFFFFFFFF, TYPE_INFO, what, 0);
        return 1;
    }
    if (record->kind == KIND_STATE) {
        if (record->flags & FLAG_ECHO) time = 0; /* a test wants a message without a time */
        fill_message(message, time, 0xFFFFFFFF, TYPE_STATUS, (uint8_t)record->code, 0);
        return 1;
    }
    if (!shared->started) return 0;
    int is_fd = record->flags & FLAG_FD;
    if (record->kind == KIND_FRAME && is_fd && !(FD && shared->exmode & EX_DATA)) record->kind = KIND_ERROR, record->code = 2;
    if (record->kind == KIND_ERROR) { /* without a code: the bit rates differ */
        uint8_t code = record->code & 0xFF ? (uint8_t)record->code : 1;
        fill_message(message, time, 0xFFFFFFFF, TYPE_ERROR, code, (uint8_t)(record->code >> 8));
        message->uMsgInfo.Bytes.bFlags = 2;
        return shared->opmode & MODE_ERR;
    }
    if (record->code & 0xFF && (record->code & 0xFF) == key_of(channel->controller) && !(record->flags & FLAG_ECHO) && !(record->code & 0x100))
        return 0; /* of this controller, without a request of self reception */
    if (!(shared->opmode & (record->flags & FLAG_EXTENDED ? MODE_EXT : MODE_STD)) || !passes(shared, record)) return 0;
    uint8_t code = 0, length = record->length;
    while (code < 15 && LENGTHS[code] < length) code++;
    fill_message(message, time, record->id, TYPE_DATA, 0, 0);
    message->uMsgInfo.Bytes.bAddFlags = (uint8_t)((is_fd ? FLAG2_EDL : 0) | (record->flags & FLAG_BRS ? FLAG2_FDR : 0) | (record->flags & FLAG_ESI ? FLAG2_ESI : 0));
    message->uMsgInfo.Bytes.bFlags = (uint8_t)(code | (record->flags & FLAG_ECHO ? FLAG_SRR : 0) | (record->flags & FLAG_REMOTE ? FLAG_RTR : 0) | (record->flags & FLAG_EXTENDED ? FLAG_EXT : 0));
    if (!(record->flags & FLAG_REMOTE)) memcpy(message->abData, record->data, length > sizeof message->abData ? sizeof message->abData : length);
    return 1;
}

/* Take the oldest message of a channel; return whether there is one. */
static int take_locked(Object *channel, MSG *message) {
    for (;;) {
        if (!channel->has_held && !port_take(channel->port, &channel->held)) return 0;
        channel->has_held = 1;
        uint64_t ticks = ticks_at(channel->held.time_ns);
        int64_t high = (int64_t)(ticks >> 32);
        if (high > channel->high) {
            int64_t times = high - channel->high;
            channel->high = high;
            if (!hook("no_timeovr", 0)) {
                fill_message(message, 0, (uint32_t)times, TYPE_TIMEOVR, 0, 0);
                return 1;
            }
        }
        channel->has_held = 0;
        if (!fill_from(message, channel, &channel->held, (uint32_t)ticks)) continue;
        Port *port = &ports[channel->port];
        if (__atomic_exchange_n(&port->overrun, 0, __ATOMIC_ACQ_REL)) message->uMsgInfo.Bytes.bFlags |= FLAG_OVR;
        return 1;
    }
}

static int take(Object *channel, MSG *message) {
    static pthread_mutex_t taking = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&taking);
    int found = take_locked(channel, message);
    pthread_mutex_unlock(&taking);
    return found;
}

static uint32_t empty(void) { return ERROR(hook("v3", 0) ? E_TIMEOUT : E_RXQUEUE_EMPTY); }

/* The reading functions are not logged: a bus calls them all the time. */
EXPORT uint32_t canChannelPeekMessage(HANDLE handle, MSG *message) {
    QUIET("canChannelPeekMessage")
    OBJECT("canChannelPeekMessage", handle, KIND_CHANNEL)
    POINTER(message)
    INITIALIZED("canChannelPeekMessage")
    return take(object, message) ? OK : ERROR(E_RXQUEUE_EMPTY);
}
EXPORT uint32_t canChannelReadMessage(HANDLE handle, uint32_t milliseconds, MSG *message) {
    QUIET("canChannelReadMessage")
    OBJECT("canChannelReadMessage", handle, KIND_CHANNEL)
    POINTER(message)
    INITIALIZED("canChannelReadMessage")
    int64_t end = milliseconds == 0xFFFFFFFF ? INT64_MAX : now_ns() - kit_shift_ns + (int64_t)milliseconds * 1000000;
    uint32_t result = empty();
    __atomic_add_fetch(&object->inside, 1, __ATOMIC_ACQ_REL);
    for (;;) {
        if (unplugged >> object->device & 1) {
            result = ERROR(E_NOT_CONNECTED);
            break;
        }
        if (take(object, message)) {
            result = OK;
            break;
        }
        int64_t left = (end - (now_ns() - kit_shift_ns)) / 1000000;
        if (left <= 0 && end != INT64_MAX) break;
        port_wait(object->port, end == INT64_MAX || left > 20 ? 20 : left);
    }
    __atomic_sub_fetch(&object->inside, 1, __ATOMIC_ACQ_REL);
    return result;
}
EXPORT uint32_t canChannelPeekMsgMult(HANDLE handle, MSG *messages, uint32_t count, uint32_t *done) {
    QUIET("canChannelPeekMsgMult")
    OBJECT("canChannelPeekMsgMult", handle, KIND_CHANNEL)
    POINTER(messages && done)
    INITIALIZED("canChannelPeekMsgMult")
    *done = 0;
    while (*done < count && take(object, &messages[*done])) ++*done;
    return *done ? OK : ERROR(E_RXQUEUE_EMPTY);
}
EXPORT uint32_t canChannelReadMsgMult(HANDLE handle, uint32_t milliseconds, MSG *messages, uint32_t count, uint32_t *done) {
    POINTER(messages && done)
    *done = 0;
    uint32_t result = count ? canChannelReadMessage(handle, milliseconds, messages) : ERROR(E_INVALIDARG);
    if (result) return result;
    *done = 1;
    if (count > 1) {
        uint32_t more = 0;
        canChannelPeekMsgMult(handle, messages + 1, count - 1, &more);
        *done += more;
    }
    return OK;
}
EXPORT uint32_t canChannelWaitRxEvent(HANDLE handle, uint32_t milliseconds) {
    QUIET("canChannelWaitRxEvent")
    OBJECT("canChannelWaitRxEvent", handle, KIND_CHANNEL)
    INITIALIZED("canChannelWaitRxEvent")
    return port_wait(object->port, milliseconds == 0xFFFFFFFF ? -1 : (int64_t)milliseconds) ? OK : ERROR(E_TIMEOUT);
}

/* --- sending --------------------------------------------------------------------------------------------------------- */

static int can_send(const Controller *controller) {
    const Shared *shared = controller->shared;
    return shared->started && !(shared->status & STATUS_BUSOFF) && !(shared->opmode & MODE_LISTEN) && hook("acknowledge", 1);
}

static void transmit(int port, const Controller *controller, uint32_t id, CANMSGINFO info, const uint8_t *data) {
    uint8_t flags = info.Bytes.bFlags, flags2 = info.Bytes.bAddFlags;
    Record record = {.kind = KIND_FRAME, .id = id, .time_ns = now_ns()};
    record.flags = (uint8_t)((flags & FLAG_EXT ? FLAG_EXTENDED : 0) | (flags & FLAG_RTR ? FLAG_REMOTE : 0) | (flags2 & FLAG2_EDL ? FLAG_FD : 0) |
                             (flags2 & FLAG2_FDR ? FLAG_BRS : 0) | (flags2 & FLAG2_ESI ? FLAG_ESI : 0));
    record.length = LENGTHS[flags & FLAG_DLC];
    record.code = key_of(controller) | (flags & FLAG_SRR ? 0x100 : 0);
    if (!(flags & FLAG_RTR)) memcpy(record.data, data, record.length);
    ports[port].bitrate = controller->shared->bitrate;
    ports[port].data_bitrate = controller->shared->data_bitrate;
    port_send(port, record);
    if (flags & FLAG_SRR) {
        record.flags |= FLAG_ECHO;
        port_put(&ports[port], &record);
    }
}

static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER; /* for the transmit queues */

static void flush_locked(Object *channel) {
    if (!channel->is_active || !can_send(channel->controller)) return;
    for (int i = 0; i < channel->pending_count; i++)
        transmit(channel->port, channel->controller, channel->pending[i].dwMsgId, channel->pending[i].uMsgInfo, channel->pending[i].abData);
    channel->pending_count = 0;
}
static void flush(Object *channel) {
    pthread_mutex_lock(&sending);
    flush_locked(channel);
    pthread_mutex_unlock(&sending);
}

static uint32_t check_info(const Controller *controller, const char *function, uint32_t id, CANMSGINFO info) {
    int is_fd = info.Bytes.bAddFlags & FLAG2_EDL, ex = controller->shared->exmode;
    if (info.Bytes.bType != TYPE_DATA || info.Bytes.bAddFlags & 0xE0 || info.Bytes.bAccept || info.Bytes.bFlags & FLAG_OVR ||
        id > (info.Bytes.bFlags & FLAG_EXT ? 0x1FFFFFFFu : 0x7FFu) ||
        (is_fd && !(FD && (ex & EX_DATA || !controller->shared->initialized))) ||
        (!is_fd && (info.Bytes.bAddFlags & (FLAG2_FDR | FLAG2_ESI) || (info.Bytes.bFlags & FLAG_DLC) > 8)) ||
        (is_fd && info.Bytes.bFlags & FLAG_RTR) || (info.Bytes.bAddFlags & FLAG2_FDR && controller->shared->initialized && !(ex & EX_FAST))) {
        violation("%s: id %x, information word %08x", function, id, info.word);
        return ERROR(E_INVALIDARG);
    }
    return OK;
}

static uint32_t post(Object *object, const char *function, const MSG *message) {
    uint32_t result = check_info(object->controller, function, message->dwMsgId, message->uMsgInfo);
    if (result) return result;
#if FD
    if (message->rsvd) violation("%s: the reserved word is not 0", function);
#endif
    if (message->uMsgInfo.Bytes.bFlags & FLAG_RTR)
        for (unsigned i = 0; i < sizeof message->abData; i++)
            if (message->abData[i]) violation("%s: data in a remote frame", function), i = sizeof message->abData;
    pthread_mutex_lock(&sending);
    flush_locked(object);
    if (object->pending_count == object->tx_size) {
        result = ERROR(E_TXQUEUE_FULL);
    } else {
        object->pending[object->pending_count++] = *message;
        flush_locked(object);
    }
    pthread_mutex_unlock(&sending);
    return result;
}
EXPORT uint32_t canChannelPostMessage(HANDLE handle, const MSG *message) {
    BEGIN("canChannelPostMessage");
    OBJECT("canChannelPostMessage", handle, KIND_CHANNEL)
    POINTER(message)
    INITIALIZED("canChannelPostMessage")
    return post(object, "canChannelPostMessage", message);
}
EXPORT uint32_t canChannelPostMsgMult(HANDLE handle, const MSG *messages, uint32_t count, uint32_t *done) {
    BEGIN("canChannelPostMsgMult", "count=%u", count);
    OBJECT("canChannelPostMsgMult", handle, KIND_CHANNEL)
    POINTER(messages && done)
    INITIALIZED("canChannelPostMsgMult")
    uint32_t result = OK;
    for (*done = 0; *done < count && !result; *done += !result) result = post(object, "canChannelPostMsgMult", &messages[*done]);
    return *done ? OK : result;
}
EXPORT uint32_t canChannelSendMessage(HANDLE handle, uint32_t milliseconds, const MSG *message) {
    BEGIN("canChannelSendMessage", "ms=%u", milliseconds);
    OBJECT("canChannelSendMessage", handle, KIND_CHANNEL)
    POINTER(message)
    INITIALIZED("canChannelSendMessage")
    __atomic_add_fetch(&object->inside, 1, __ATOMIC_ACQ_REL);
    uint32_t result = post(object, "canChannelSendMessage", message);
    for (uint32_t waited = 0; result == ERROR(E_TXQUEUE_FULL) && waited < milliseconds; waited++) {
        usleep(1000);
        if (unplugged >> object->device & 1) result = ERROR(E_NOT_CONNECTED);
        else result = post(object, "canChannelSendMessage", message);
    }
    __atomic_sub_fetch(&object->inside, 1, __ATOMIC_ACQ_REL);
    return result == ERROR(E_TXQUEUE_FULL) ? ERROR(E_TIMEOUT) : result;
}
EXPORT uint32_t canChannelSendMsgMult(HANDLE handle, uint32_t milliseconds, const MSG *messages, uint32_t count, uint32_t *done) {
    POINTER(messages && done)
    uint32_t result = OK;
    for (*done = 0; *done < count && !result; *done += !result) result = canChannelSendMessage(handle, milliseconds, &messages[*done]);
    return result;
}
EXPORT uint32_t canChannelWaitTxEvent(HANDLE handle, uint32_t milliseconds) {
    BEGIN("canChannelWaitTxEvent");
    OBJECT("canChannelWaitTxEvent", handle, KIND_CHANNEL)
    INITIALIZED("canChannelWaitTxEvent")
    for (uint32_t waited = 0;; waited++) {
        flush(object);
        if (!object->pending_count) return OK;
        if (waited >= milliseconds) return ERROR(E_TIMEOUT);
        usleep(1000);
    }
}

/* --- the scheduler ---------------------------------------------------------------------------------------------------- */

static int64_t steady_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *work(void *argument) {
    Object *scheduler = argument;
    while (!__atomic_load_n(&scheduler->stop, __ATOMIC_ACQUIRE)) {
        usleep(500);
        pthread_mutex_lock(&lock);
        for (int i = 0; i < ENTRIES; i++) {
            Entry *entry = &scheduler->entries[i];
            if (entry->state != 2 || entry->due_ns > steady_ns() || unplugged >> scheduler->device & 1) continue;
            entry->due_ns += entry->period_ns;
            if (can_send(scheduler->controller)) {
                CANMSGINFO info = entry->message.uMsgInfo;
                int own = info.Bytes.bFlags & FLAG_SRR;
                info.Bytes.bFlags &= (uint8_t)~FLAG_SRR;
                transmit(scheduler->port, scheduler->controller, entry->message.dwMsgId, info, entry->message.abData);
                if (own) {
                    Record echo = {.kind = KIND_FRAME, .id = entry->message.dwMsgId, .time_ns = now_ns()};
                    echo.flags = (uint8_t)(FLAG_ECHO | (info.Bytes.bFlags & FLAG_EXT ? FLAG_EXTENDED : 0) | (info.Bytes.bFlags & FLAG_RTR ? FLAG_REMOTE : 0) |
                                           (info.Bytes.bAddFlags & FLAG2_EDL ? FLAG_FD : 0) | (info.Bytes.bAddFlags & FLAG2_FDR ? FLAG_BRS : 0));
                    echo.length = LENGTHS[info.Bytes.bFlags & FLAG_DLC];
                    memcpy(echo.data, entry->message.abData, echo.length > sizeof entry->message.abData ? sizeof entry->message.abData : echo.length);
                    for (int j = 0; j < MAX_HANDLES; j++)
                        if (objects[j].kind == KIND_CHANNEL && objects[j].controller == scheduler->controller && objects[j].is_active)
                            port_put(&ports[objects[j].port], &echo);
                }
            }
            if (!entry->endless && !--entry->left) entry->state = 3;
        }
        pthread_mutex_unlock(&lock);
        port_clear(scheduler->port);
    }
    return NULL;
}

EXPORT uint32_t canSchedulerOpen(HANDLE device, uint32_t number, HANDLE *handle) {
    BEGIN("canSchedulerOpen", "number=%u", number);
    OBJECT("canSchedulerOpen", device, KIND_DEVICE)
    POINTER(handle)
    *handle = NULL;
    if (number >= CONTROLLERS) return ERROR(E_INVALID_INDEX);
    Controller *controller = controller_of(object->device, (int)number);
    int32_t none = 0;
    if (!__atomic_compare_exchange_n(&controller->shared->scheduler_pid, &none, getpid(), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return ERROR(E_ACCESSDENIED);
    Object *scheduler = new_object(KIND_SCHEDULER, object->device, controller);
    if (!scheduler) return ERROR(E_OUTOFMEMORY);
    scheduler->port = port_open("ixxat", 64, 0, 0);
    *handle = handle_of(scheduler);
    return OK;
}
static void close_scheduler(Object *object) {
    if (object->is_working) {
        __atomic_store_n(&object->stop, 1, __ATOMIC_RELEASE);
        pthread_join(object->worker, NULL);
        object->is_working = 0;
    }
    port_close(object->port);
    object->controller->shared->scheduler_pid = 0;
    free_object(object);
}
EXPORT uint32_t canSchedulerClose(HANDLE handle) {
    called("canSchedulerClose");
    Object *object = object_of(handle, KIND_SCHEDULER, "canSchedulerClose");
    if (!object) return ERROR(E_INVHANDLE);
    close_scheduler(object);
    return unplugged >> object->device & 1 ? ERROR(E_NOT_CONNECTED) : OK;
}
EXPORT uint32_t canSchedulerReset(HANDLE handle) {
    BEGIN("canSchedulerReset");
    OBJECT("canSchedulerReset", handle, KIND_SCHEDULER)
    pthread_mutex_lock(&lock);
    memset(object->entries, 0, sizeof object->entries);
    pthread_mutex_unlock(&lock);
    return OK;
}
EXPORT uint32_t canSchedulerGetCaps(HANDLE handle, CAPS *caps) {
    BEGIN("canSchedulerGetCaps");
    OBJECT("canSchedulerGetCaps", handle, KIND_SCHEDULER)
    POINTER(caps)
    fill_caps(caps);
    return OK;
}
EXPORT uint32_t canSchedulerGetStatus(HANDLE handle, SCHEDSTATUS *status) {
    BEGIN("canSchedulerGetStatus");
    OBJECT("canSchedulerGetStatus", handle, KIND_SCHEDULER)
    POINTER(status)
    memset(status, 0, sizeof *status);
#if FD
    fill_line(&status->sLineStatus, object->controller->shared);
#endif
    for (int i = 0; i < ENTRIES; i++) status->abMsgStat[i] = object->entries[i].state ? (uint8_t)(object->entries[i].state - 1) : 0;
    return OK;
}
EXPORT uint32_t canSchedulerActivate(HANDLE handle, int32_t active) {
    BEGIN("canSchedulerActivate", "active=%d", active);
    OBJECT("canSchedulerActivate", handle, KIND_SCHEDULER)
    if (active && !object->is_working) {
        object->stop = 0;
        object->is_working = 1;
        pthread_create(&object->worker, NULL, work, object);
    } else if (!active && object->is_working) {
        __atomic_store_n(&object->stop, 1, __ATOMIC_RELEASE);
        pthread_join(object->worker, NULL);
        object->is_working = 0;
    }
    return OK;
}
/* The state of an entry: 0 free, 1 in the list, 2 busy, 3 done. */
EXPORT uint32_t canSchedulerAddMessage(HANDLE handle, const CYCLIC *message, uint32_t *index) {
    BEGIN("canSchedulerAddMessage", "cycle=%u increment=%u id=%x info=%08x", message ? message->wCycleTime : 0, message ? message->bIncrMode : 0,
          message ? message->dwMsgId : 0, message ? message->uMsgInfo.word : 0);
    OBJECT("canSchedulerAddMessage", handle, KIND_SCHEDULER)
    POINTER(message && index)
    if (!message->wCycleTime || message->wCycleTime > hook("cms_max_ticks", 65535) || message->bIncrMode > 3) {
        violation("canSchedulerAddMessage: cycle %u, increment %u", message->wCycleTime, message->bIncrMode);
        return ERROR(E_INVALIDARG);
    }
    uint32_t result = check_info(object->controller, "canSchedulerAddMessage", message->dwMsgId, message->uMsgInfo);
    if (result) return result;
    pthread_mutex_lock(&lock);
    int place = 0;
    while (place < ENTRIES && object->entries[place].state) place++;
    if (place < ENTRIES) {
        object->entries[place] = (Entry){.state = 1, .message = *message};
        *index = (uint32_t)place;
    }
    pthread_mutex_unlock(&lock);
    return place < ENTRIES ? OK : ERROR(E_OUTOFMEMORY);
}
static uint32_t change(Object *object, uint32_t index, uint8_t state, uint16_t count, const char *function) {
    uint32_t result = OK;
    pthread_mutex_lock(&lock);
    if (index >= ENTRIES || !object->entries[index].state) {
        result = ERROR(E_INVALID_INDEX);
    } else {
        Entry *entry = &object->entries[index];
        entry->state = state;
        entry->endless = !count, entry->left = count;
        entry->period_ns = (int64_t)entry->message.wCycleTime * 1000000000 * hook("cms_divisor", 800) / hook("clock", 8000000);
        entry->due_ns = steady_ns();
    }
    pthread_mutex_unlock(&lock);
    if (result) violation("%s: no entry %u", function, index);
    return result;
}
EXPORT uint32_t canSchedulerRemMessage(HANDLE handle, uint32_t index) {
    BEGIN("canSchedulerRemMessage", "index=%u", index);
    OBJECT("canSchedulerRemMessage", handle, KIND_SCHEDULER)
    return change(object, index, 0, 0, "canSchedulerRemMessage");
}
EXPORT uint32_t canSchedulerStartMessage(HANDLE handle, uint32_t index, uint16_t count) {
    BEGIN("canSchedulerStartMessage", "index=%u count=%u", index, count);
    OBJECT("canSchedulerStartMessage", handle, KIND_SCHEDULER)
    return change(object, index, 2, count, "canSchedulerStartMessage");
}
EXPORT uint32_t canSchedulerStopMessage(HANDLE handle, uint32_t index) {
    BEGIN("canSchedulerStopMessage", "index=%u", index);
    OBJECT("canSchedulerStopMessage", handle, KIND_SCHEDULER)
    return change(object, index, 1, 0, "canSchedulerStopMessage");
}

/* --- for tests ---------------------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    for (int i = 0; i < MAX_HANDLES; i++) {
        Object *object = &objects[i];
        if (object->kind == KIND_CHANNEL) close_channel(object);
        else if (object->kind == KIND_SCHEDULER) close_scheduler(object);
        else if (object->kind == KIND_CONTROL) close(object->owner), free_object(object);
        else if (object->kind) free_object(object);
    }
    for (int device = 0; device < MAX_DEVICES; device++)
        for (int number = 0; number < CONTROLLERS; number++) {
            Controller *controller = &controllers[device][number];
            if (controller->shared) munmap(controller->shared, sizeof(Shared));
            controller->shared = NULL;
        }
    initialized = 0;
    unplugged = 0;
    boot_ns = 0;
}

/* The records of tests: errors have the code, and the status in the second byte; states the status. */
static int library_inject(int32_t channel, const Record *record) {
    int found = -1;
    for (int i = 0; i < MAX_HANDLES; i++) {
        Object *object = &objects[i];
        if (object->kind != KIND_CHANNEL || !object->is_active || object->controller->number != channel) continue;
        Record copy = *record;
        if (!copy.time_ns) copy.time_ns = now_ns();
        found = 0;
        if (copy.kind == KIND_OVERRUN) {
            ports[object->port].overrun = 1;
            continue;
        }
        if (copy.kind == KIND_STATE) object->controller->shared->status = copy.code & 0xFF;
        if (copy.kind == KIND_FRAME) copy.code = 0;
        port_put(&ports[object->port], &copy);
    }
    return found;
}

static void library_unplug(int32_t device) { unplugged |= device < 0 ? 0x7FFFFFFF : 1u << device; }

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(LUID) FIELD(LUID, LowPart) FIELD(LUID, HighPart)
    LAYOUT(VCIID) FIELD(VCIID, AsLuid) FIELD(VCIID, AsInt64)
    LAYOUT(GUID) FIELD(GUID, Data1) FIELD(GUID, Data2) FIELD(GUID, Data3) FIELD(GUID, Data4)
    LAYOUT(VCIDEVICEINFO)
    FIELD(VCIDEVICEINFO, VciObjectId) FIELD(VCIDEVICEINFO, DeviceClass) FIELD(VCIDEVICEINFO, DriverMajorVersion)
    FIELD(VCIDEVICEINFO, DriverMinorVersion) FIELD(VCIDEVICEINFO, DriverBuildVersion) FIELD(VCIDEVICEINFO, HardwareBranchVersion)
    FIELD(VCIDEVICEINFO, HardwareMajorVersion) FIELD(VCIDEVICEINFO, HardwareMinorVersion) FIELD(VCIDEVICEINFO, HardwareBuildVersion)
    FIELD(VCIDEVICEINFO, UniqueHardwareId) FIELD(VCIDEVICEINFO, Description) FIELD(VCIDEVICEINFO, Manufacturer)
    FIELD(VCIDEVICEINFO, DriverReleaseVersion)
    LAYOUT(VCIDEVICECAPS) FIELD(VCIDEVICECAPS, BusCtrlCount) FIELD(VCIDEVICECAPS, BusCtrlTypes)
    LAYOUT(CANCAPABILITIES)
    FIELD(CANCAPABILITIES, wCtrlType) FIELD(CANCAPABILITIES, wBusCoupling) FIELD(CANCAPABILITIES, dwFeatures)
    FIELD(CANCAPABILITIES, dwClockFreq) FIELD(CANCAPABILITIES, dwTscDivisor) FIELD(CANCAPABILITIES, dwCmsDivisor)
    FIELD(CANCAPABILITIES, dwCmsMaxTicks) FIELD(CANCAPABILITIES, dwDtxDivisor) FIELD(CANCAPABILITIES, dwDtxMaxTicks)
    LAYOUT(CANBTP)
    FIELD(CANBTP, dwMode) FIELD(CANBTP, dwBPS) FIELD(CANBTP, wTS1) FIELD(CANBTP, wTS2) FIELD(CANBTP, wSJW) FIELD(CANBTP, wTDO)
    LAYOUT(CANCAPABILITIES2)
    FIELD(CANCAPABILITIES2, wCtrlType) FIELD(CANCAPABILITIES2, wBusCoupling) FIELD(CANCAPABILITIES2, dwFeatures)
    FIELD(CANCAPABILITIES2, dwCanClkFreq) FIELD(CANCAPABILITIES2, sSdrRangeMin) FIELD(CANCAPABILITIES2, sSdrRangeMax)
    FIELD(CANCAPABILITIES2, sFdrRangeMin) FIELD(CANCAPABILITIES2, sFdrRangeMax) FIELD(CANCAPABILITIES2, dwTscClkFreq)
    FIELD(CANCAPABILITIES2, dwTscDivisor) FIELD(CANCAPABILITIES2, dwCmsClkFreq) FIELD(CANCAPABILITIES2, dwCmsDivisor)
    FIELD(CANCAPABILITIES2, dwCmsMaxTicks) FIELD(CANCAPABILITIES2, dwDtxClkFreq) FIELD(CANCAPABILITIES2, dwDtxDivisor)
    FIELD(CANCAPABILITIES2, dwDtxMaxTicks)
    LAYOUT(CANLINESTATUS)
    FIELD(CANLINESTATUS, bOpMode) FIELD(CANLINESTATUS, bBtReg0) FIELD(CANLINESTATUS, bBtReg1) FIELD(CANLINESTATUS, bBusLoad)
    FIELD(CANLINESTATUS, dwStatus)
    LAYOUT(CANLINESTATUS2)
    FIELD(CANLINESTATUS2, bOpMode) FIELD(CANLINESTATUS2, bExMode) FIELD(CANLINESTATUS2, bBusLoad) FIELD(CANLINESTATUS2, bReserved)
    FIELD(CANLINESTATUS2, sBtpSdr) FIELD(CANLINESTATUS2, sBtpFdr) FIELD(CANLINESTATUS2, dwStatus)
    LAYOUT(CANCHANSTATUS)
    FIELD(CANCHANSTATUS, sLineStatus) FIELD(CANCHANSTATUS, fActivated) FIELD(CANCHANSTATUS, fRxOverrun)
    FIELD(CANCHANSTATUS, bRxFifoLoad) FIELD(CANCHANSTATUS, bTxFifoLoad)
    LAYOUT(CANCHANSTATUS2)
    FIELD(CANCHANSTATUS2, sLineStatus) FIELD(CANCHANSTATUS2, fActivated) FIELD(CANCHANSTATUS2, fRxOverrun)
    FIELD(CANCHANSTATUS2, bRxFifoLoad) FIELD(CANCHANSTATUS2, bTxFifoLoad)
    LAYOUT(CANSCHEDULERSTATUS) FIELD(CANSCHEDULERSTATUS, bTaskStat) FIELD(CANSCHEDULERSTATUS, abMsgStat)
    LAYOUT(CANSCHEDULERSTATUS2)
    FIELD(CANSCHEDULERSTATUS2, sLineStatus) FIELD(CANSCHEDULERSTATUS2, bTaskStat) FIELD(CANSCHEDULERSTATUS2, abMsgStat)
    LAYOUT(CANMSGINFO) FIELD(CANMSGINFO, Bytes)
    LAYOUT(CANMSG) FIELD(CANMSG, dwTime) FIELD(CANMSG, dwMsgId) FIELD(CANMSG, uMsgInfo) FIELD(CANMSG, abData)
    LAYOUT(CANMSG2)
    FIELD(CANMSG2, dwTime) FIELD(CANMSG2, rsvd) FIELD(CANMSG2, dwMsgId) FIELD(CANMSG2, uMsgInfo) FIELD(CANMSG2, abData)
    LAYOUT(CANCYCLICTXMSG)
    FIELD(CANCYCLICTXMSG, wCycleTime) FIELD(CANCYCLICTXMSG, bIncrMode) FIELD(CANCYCLICTXMSG, bByteIndex) FIELD(CANCYCLICTXMSG, dwMsgId)
    FIELD(CANCYCLICTXMSG, uMsgInfo) FIELD(CANCYCLICTXMSG, abData)
    LAYOUT(CANCYCLICTXMSG2)
    FIELD(CANCYCLICTXMSG2, wCycleTime) FIELD(CANCYCLICTXMSG2, bIncrMode) FIELD(CANCYCLICTXMSG2, bByteIndex) FIELD(CANCYCLICTXMSG2, dwMsgId)
    FIELD(CANCYCLICTXMSG2, uMsgInfo) FIELD(CANCYCLICTXMSG2, abData)
    return -1;
}
