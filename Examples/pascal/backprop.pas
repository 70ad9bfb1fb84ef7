{ Networks for Free Pascal. }
unit Backprop;

{$mode objfpc}{$H+}

interface

uses
  SysUtils;

type
  { A call of the library that failed. }
  EBackprop = class(Exception)
  public
    Status: LongInt;
  end;

  TSingles = array of Single;

  { An activation of one number. Descendants may raise exceptions. }
  TActivation = class
  public
    function Value(z: Single): Single; virtual; abstract;
    function Derivative(z: Single): Single; virtual; abstract;
  end;

  { A network. Arrays are row by row. }
  TNetwork = class
  private
    FHandle: Pointer;
    function LayerSize(Layer: SizeUInt): SizeUInt;
    function Outputs: SizeUInt;
  public
    constructor Create(const Sizes: array of SizeUInt; Seed: QWord);
    constructor Load(const Path: AnsiString);
    destructor Destroy; override;
    procedure SetActivation(Layer: SizeUInt; const Name: AnsiString);
    { One step on all rows. }
    procedure Train(const Inputs, Targets: array of Single; LearningRate: Single);
    function Predict(const Inputs: array of Single): TSingles;
    procedure Save(const Path: AnsiString);
  end;

{ Makes an activation known by a name. It is freed when nothing uses it, or if it cannot be registered. }
procedure RegisterActivation(const Name: AnsiString; Activation: TActivation);

implementation

{$linklib backprop}

type
  TForward = function(z, a: PSingle; Rows, Columns: SizeUInt; UserData: Pointer): LongInt; cdecl;
  TBackward = function(z, a, da, dz: PSingle; Rows, Columns: SizeUInt; UserData: Pointer): LongInt; cdecl;
  TDestroy = procedure(UserData: Pointer); cdecl;

function bp_last_error_message: PAnsiChar; cdecl; external;
function bp_activation_register_vector(Name: PAnsiChar; Run: TForward; RunBack: TBackward; UserData: Pointer;
  OnEnd: TDestroy): LongInt; cdecl; external;
function bp_network_create(Sizes: PSizeUInt; Count: SizeUInt; Seed: QWord; out Handle: Pointer): LongInt; cdecl; external;
procedure bp_network_free(Handle: Pointer); cdecl; external;
function bp_network_layer_count(Handle: Pointer; out Count: SizeUInt): LongInt; cdecl; external;
function bp_network_layer_size(Handle: Pointer; Layer: SizeUInt; out Size: SizeUInt): LongInt; cdecl; external;
function bp_network_set_activation(Handle: Pointer; Layer: SizeUInt; Name: PAnsiChar): LongInt; cdecl; external;
function bp_network_train_minibatch(Handle: Pointer; Inputs, Targets: PSingle; Rows: SizeUInt; LearningRate: Single;
  Loss: PSingle): LongInt; cdecl; external;
function bp_network_predict(Handle: Pointer; Inputs: PSingle; Rows: SizeUInt; Outputs: PSingle): LongInt; cdecl; external;
function bp_network_save(Handle: Pointer; Path: PAnsiChar): LongInt; cdecl; external;
function bp_network_load(Path: PAnsiChar; out Handle: Pointer): LongInt; cdecl; external;

threadvar
  Raised: TObject; { the exception of a callback, for the call that it made fail }

{ Raises the exception of a callback during the call, or the error of the call. }
procedure Check(Status: LongInt);
var
  Callback: TObject;
  Failure: EBackprop;
begin
  Callback := Raised;
  Raised := nil;
  if Callback <> nil then raise Callback;
  if Status >= 0 then exit;
  Failure := EBackprop.Create(bp_last_error_message);
  Failure.Status := Status;
  raise Failure;
end;

{ No exception passes through the library. }
function StoreException: LongInt;
begin
  FreeAndNil(Raised);
  Raised := TObject(AcquireExceptionObject);
  Result := 1;
end;

function Forward(z, a: PSingle; Rows, Columns: SizeUInt; UserData: Pointer): LongInt; cdecl;
var
  i: SizeInt;
begin
  Result := 0;
  try
    for i := 0 to SizeInt(Rows * Columns) - 1 do a[i] := TActivation(UserData).Value(z[i]);
  except
    Result := StoreException;
  end;
end;

function Backward(z, a, da, dz: PSingle; Rows, Columns: SizeUInt; UserData: Pointer): LongInt; cdecl;
var
  i: SizeInt;
begin
  Result := 0;
  try
    for i := 0 to SizeInt(Rows * Columns) - 1 do dz[i] := da[i] * TActivation(UserData).Derivative(z[i]);
  except
    Result := StoreException;
  end;
end;

procedure FreeActivation(UserData: Pointer); cdecl;
begin
  TActivation(UserData).Free;
end;

procedure RegisterActivation(const Name: AnsiString; Activation: TActivation);
var
  Status: LongInt;
begin
  Status := bp_activation_register_vector(PAnsiChar(Name), @Forward, @Backward, Activation, @FreeActivation);
  if Status < 0 then Activation.Free;
  Check(Status);
end;

constructor TNetwork.Create(const Sizes: array of SizeUInt; Seed: QWord);
begin
  Check(bp_network_create(@Sizes, Length(Sizes), Seed, FHandle));
end;

constructor TNetwork.Load(const Path: AnsiString);
begin
  Check(bp_network_load(PAnsiChar(Path), FHandle));
end;

destructor TNetwork.Destroy;
begin
  bp_network_free(FHandle);
  inherited;
end;

function TNetwork.LayerSize(Layer: SizeUInt): SizeUInt;
begin
  Check(bp_network_layer_size(FHandle, Layer, Result));
end;

function TNetwork.Outputs: SizeUInt;
var
  Layers: SizeUInt;
begin
  Check(bp_network_layer_count(FHandle, Layers));
  Result := LayerSize(Layers - 1);
end;

procedure TNetwork.SetActivation(Layer: SizeUInt; const Name: AnsiString);
begin
  Check(bp_network_set_activation(FHandle, Layer, PAnsiChar(Name)));
end;

function RowsOf(Count, Columns: SizeUInt): SizeUInt;
begin
  if Count mod Columns <> 0 then
    raise EArgumentException.CreateFmt('%d numbers are not rows of %d', [Count, Columns]);
  Result := Count div Columns;
end;

procedure TNetwork.Train(const Inputs, Targets: array of Single; LearningRate: Single);
var
  Rows: SizeUInt;
begin
  Rows := RowsOf(Length(Inputs), LayerSize(0));
  if RowsOf(Length(Targets), Outputs) <> Rows then
    raise EArgumentException.Create('inputs and targets differ in rows');
  Check(bp_network_train_minibatch(FHandle, @Inputs, @Targets, Rows, LearningRate, nil));
end;

function TNetwork.Predict(const Inputs: array of Single): TSingles;
var
  Rows: SizeUInt;
begin
  Rows := RowsOf(Length(Inputs), LayerSize(0));
  Result := nil;
  SetLength(Result, Rows * Outputs);
  Check(bp_network_predict(FHandle, @Inputs, Rows, PSingle(Result)));
end;

procedure TNetwork.Save(const Path: AnsiString);
begin
  Check(bp_network_save(FHandle, PAnsiChar(Path)));
end;

end.
